#include "metrics/fid_distance.hpp"
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <random>
#include <vector>
using namespace iqa;
struct sq : covariance_matrix { int64_t d; std::vector<double> s; sq(int64_t d_,unsigned seed):d(d_),s(size_t(d_*d_)){ // diagonally dominant-ish low cost
 std::mt19937_64 g(seed);std::vector<double> f(size_t(d*8));for(auto&v:f)v=double(g()%2001)/1000-1;for(int64_t i=0;i<d;i++)for(int64_t j=0;j<=i;j++){double t=0;for(int k=0;k<8;k++)t+=f[size_t(i*8+k)]*f[size_t(j*8+k)];s[size_t(i*d+j)]=t/(1+double(i))+(i==j?0.5+1.0/(1+double(i)):0)+1e-3*double(g()%1000)/1000/double(d);}}
 double at(int64_t i,int64_t j)const override{return s[size_t(i*d+j)];} int64_t most_rank()const override{return d;}};
int main(int c,char**a){int64_t d=atoi(a[1]);int threads=atoi(a[2]);int rep=atoi(a[3]);int isa=c>4?atoi(a[4]):255;sq x(d,1),y(d,2);
 iqa_context_options o=IQA_CONTEXT_OPTIONS_INIT;o.threads=threads;o.instruction_set=isa;context*ctx=iqa_context::create(o);
 for(int r=0;r<rep;r++){auto t=std::chrono::steady_clock::now();clock_t c0=clock();auto p=frechet_distance(*ctx,fid_kernels_for(*ctx),d,0,x,y);printf("%s D %ld threads %d rank %ld %ld wall %.4f cpu %.4f raw %.17g\n",fid_kernels_for(*ctx).name,d,threads,p.ranks[0],p.ranks[1],std::chrono::duration<double>(std::chrono::steady_clock::now()-t).count(),double(clock()-c0)/CLOCKS_PER_SEC,p.raw);}}
