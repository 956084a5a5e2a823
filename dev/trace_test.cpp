#include "metrics/fid_distance.hpp"
namespace iqa{namespace baseline{extern const fid_kernels fid;}namespace avx2{extern const fid_kernels fid;}namespace avx512{extern const fid_kernels fid,fid_vnni;}}
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>
using namespace iqa;
static double now(){return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();}
struct dense : covariance_matrix {
    int64_t n, d; std::vector<double> mu, s;
    dense(int64_t n_, int64_t d_, unsigned seed, double decay) : n(n_), d(d_), mu(size_t(d_)), s(size_t(d_*d_)) {
        std::mt19937_64 g(seed); std::normal_distribution<double> nd; std::vector<double> x(size_t(n*d));
        for (int64_t i=0;i<n;i++) for(int64_t j=0;j<d;j++) x[size_t(i*d+j)] = std::nearbyint(nd(g)*std::pow(1.0+double(j),-decay)*1024);
        for (int64_t j=0;j<d;j++){double t=0;for(int64_t i=0;i<n;i++)t+=x[size_t(i*d+j)];mu[size_t(j)]=t/double(n);}
        for (auto&v:x)v/=1024; for(auto&v:mu)v/=1024;
        for (int64_t i=0;i<n;i++)for(int64_t a=0;a<d;a++){double xa=x[size_t(i*d+a)]-mu[size_t(a)];for(int64_t b=0;b<=a;b++)s[size_t(a*d+b)]+=xa*(x[size_t(i*d+b)]-mu[size_t(b)]);}
        for(auto&v:s)v/=double(n-1);
    }
    double mean(int64_t i) const {return mu[size_t(i)];}
    double at(int64_t i,int64_t j) const override {return s[size_t(i*d+j)];}
    int64_t most_rank() const override {return n-1;}
};
int main(int c,char**a){
    int64_t d=atoi(a[1]),n1=atoi(a[2]),n2=atoi(a[3]);int rep=c>4?atoi(a[4]):3;
    double mt=0;dense x(n1,d,1,.5),y(n2,d,2,.4);
    if(c>5){FILE*f=fopen(a[5],"wb");for(auto*g:{&x,&y}){fwrite(g->mu.data(),8,g->mu.size(),f);fwrite(g->s.data(),8,g->s.size(),f);}fclose(f);}
    for(int threads=1;threads<=3;threads++)for(const fid_kernels*k:{&avx512::fid_vnni,&avx512::fid,&avx2::fid,&baseline::fid}){
        if(k==&avx512::fid&&threads>1)continue;
        if(k==&baseline::fid&&(threads>1||d>512))continue;
        iqa_context_options o=IQA_CONTEXT_OPTIONS_INIT;o.threads=threads;context*ctx=iqa_context::create(o);
        double best=1e9;frechet_parts p{};
        for(int r=0;r<rep;r++){double t=now();p=frechet_distance(*ctx,*k,d,mt,x,y);best=std::min(best,now()-t);}
        auto q=frechet_distance(*ctx,*k,d,mt,y,x);
        uint64_t bits;memcpy(&bits,&p.raw,8);
        printf("%-12s threads %d D %ld rank %ld %ld fid %.17g trace %.17g bits %016lx swap %d time %.4f\n",k->name,threads,d,p.ranks[0],p.ranks[1],p.value,p.trace_term,bits,memcmp(&p.raw,&q.raw,8)==0,best);
        ctx->release();
    }
}
