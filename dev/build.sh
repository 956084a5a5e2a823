set -e
F="-std=c++20 -O3 -ffp-contract=off -fopenmp -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Isrc -Iinclude -I/work/main/src"
mkdir -p build/obj
for v in baseline "avx2:-mavx2 -mfma" "avx512:-mavx512f -mavx512dq -mavx512bw -mavx512vl -mfma -mprefer-vector-width=512" "avx512_vnni:-mavx512f -mavx512dq -mavx512bw -mavx512vl -mavx512vnni -mfma -mprefer-vector-width=512"; do n=${v%%:*}; f=${v#*:}; [ "$f" = "$v" ] && f=""; g++ $F $f -c src/cpu/fid_$n.cpp -o build/obj/$n.o; done
for f in src/metrics/fid_*.cpp src/core/crew.cpp src/cpu/fid_dispatch.cpp /work/main/src/core/parallel.cpp /work/main/src/core/context.cpp; do g++ $F -c $f -o build/obj/m_$(basename $f .cpp).o; done
for t in trace moment; do g++ $F dev/${t}_test.cpp build/obj/*.o -o build/${t}_test; done
