#include "metrics/fid_moments.hpp"
#include "core/tensor.hpp"
namespace iqa{namespace baseline{extern const fid_kernels fid;}namespace avx2{extern const fid_kernels fid;}namespace avx512{extern const fid_kernels fid,fid_vnni;}}
#include "arith/second_moment.h"
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cmath>
#include <random>
#include <vector>
using namespace iqa;
static double now(){return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();}
int main(int c,char**a){
    int64_t n=atoi(a[1]),d=atoi(a[2]);int rep=c>3?atoi(a[3]):3;
    std::vector<float> x(size_t(n*d));std::mt19937_64 g(7);std::normal_distribution<float> nd;for(auto&v:x)v=nd(g);
    x[3]=127.f;x[4]=-127.f;
    std::vector<int64_t> ref;
    for(int wide=1;wide>=0;wide--){ref.clear();
    for(int threads=1;threads<=2;threads++)for(const fid_kernels*k:{&avx512::fid_vnni,&avx512::fid,&avx2::fid,&baseline::fid})if(k!=&baseline::fid||getenv("BASE")){
        iqa_context_options o=IQA_CONTEXT_OPTIONS_INIT;o.threads=threads;context*ctx=iqa_context::create(o);
        {scratch memory(*ctx);feature_grid grid{wide?24:16,wide!=0};std::vector<int64_t> lanes;double best=1e9;
        table_view v{element_type::float32,reinterpret_cast<const std::byte*>(x.data()),n,d,d,1};
        for(int r=0;r<rep;r++){lanes.assign(size_t(moment_lanes::count(d)),0);double t=now();add_rows(*ctx,memory,*k,grid,v,"features",{lanes.data(),d});best=std::min(best,now()-t);}
        if(ref.empty())ref=lanes;
        int ok=0,tot=0;moment_lanes m{lanes.data(),d};
        for(int z=0;z<50;z++){int64_t i=int64_t(g()%uint64_t(d)),j=int64_t(g()%uint64_t(i+1));int128 s=0;int64_t su=0;for(int64_t r=0;r<n;r++){auto q=[&](int64_t cc){return int64_t(std::nearbyint(double(x[size_t(r*d+cc)])*power_of_two(grid.fraction_bits)));};s+=int128(q(i))*q(j);su+=q(i);}
            tot++;int64_t*w=m.words(i,j);ok+=s==value_of({w[0],w[1]})&&su==m.sums()[i]&&w[0]>=0&&w[0]<(int64_t(1)<<32);}
        printf("wide %d %-12s threads %d n %ld d %ld: %.4f s  same %d check %d/%d\n",wide,k->name,threads,n,d,best,lanes==ref,ok,tot);}
        ctx->release();
    }}
}
