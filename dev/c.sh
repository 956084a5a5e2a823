nice ninja -C build/rel -j2 iqa_c 2>&1 | grep -E "error|FAILED" -A5
g++ -std=c++20 -O2 -Isrc -Iinclude -fopenmp dev/tr1.cpp $(find build/rel/CMakeFiles/iqa_objects.dir -name '*.o') -o build/tr1
g++ -std=c++20 -O2 -Isrc -Iinclude -fopenmp dev/mom1.cpp $(find build/rel/CMakeFiles/iqa_objects.dir -name '*.o') -o build/mom1
