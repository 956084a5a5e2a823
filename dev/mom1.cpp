#include "metrics/fid_moments.hpp"
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <random>
#include <vector>
using namespace iqa;
int main(int c,char**a){int64_t n=atoi(a[1]),d=atoi(a[2]);bool wide=atoi(a[3]);int threads=c>4?atoi(a[4]):1;int isa=c>5?atoi(a[5]):255;
 std::vector<float> x(size_t(n*d));std::mt19937_64 g(7);for(auto&v:x)v=float(g()%1000)/250.f;
 iqa_context_options o=IQA_CONTEXT_OPTIONS_INIT;o.threads=threads;o.instruction_set=isa;context*ctx=iqa_context::create(o);scratch m(*ctx);
 std::vector<int64_t> lanes(size_t(moment_lanes::count(d)));table_view v{element_type::float32,reinterpret_cast<const std::byte*>(x.data()),n,d,d,1};
 for(int r=0;r<4;r++){auto t=std::chrono::steady_clock::now();clock_t c0=clock();add_rows(*ctx,m,fid_kernels_for(*ctx),{wide?24:16,wide},v,"x",{lanes.data(),d});
 printf("%s wide %d threads %d wall %.4f cpu %.4f\n",fid_kernels_for(*ctx).name,wide,threads,std::chrono::duration<double>(std::chrono::steady_clock::now()-t).count(),double(clock()-c0)/CLOCKS_PER_SEC);}}
