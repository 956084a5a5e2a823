bash dev/build.sh 2>&1 | grep -E "error|warning|FAILED" -A6
g++ -std=c++20 -O2 -Isrc -Iinclude -fopenmp dev/mom1.cpp $(find build/rel/CMakeFiles/iqa_objects.dir -name '*.o') -o build/mom1
