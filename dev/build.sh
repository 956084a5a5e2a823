set -e
cmake -S . -B build/rel -G Ninja -DCMAKE_BUILD_TYPE=Release > /dev/null
nice ninja -C build/rel -j2 all | grep -E "error|warning|FAILED|ninja:" -A5 || true
for t in trace moment; do g++ -std=c++20 -O2 -Isrc -Iinclude -fopenmp dev/${t}_test.cpp $(find build/rel/CMakeFiles/iqa_objects.dir -name '*.o') -o build/${t}_test; done
