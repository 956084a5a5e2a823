import numpy as np,sys
D=int(sys.argv[2]);a=np.fromfile(sys.argv[1]);m1,s1,m2,s2=a[:D],a[D:D+D*D].reshape(D,D),a[D+D*D:2*D+D*D],a[2*D+D*D:].reshape(D,D)
f=lambda s:np.tril(s)+np.tril(s,-1).T
s1,s2=f(s1),f(s2)
print(((m1-m2)**2).sum()+np.trace(s1)+np.trace(s2)-2*np.sqrt(np.linalg.eigvals(s1@s2).astype(complex)).real.sum())
