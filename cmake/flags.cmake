# Flags that every target of the project shares, and those that make results the same everywhere.

add_library(iqa_warnings INTERFACE)
target_compile_options(iqa_warnings INTERFACE
  $<$<COMPILE_LANGUAGE:C,CXX>:-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion>)
if(IQA_WERROR)
  target_compile_options(iqa_warnings INTERFACE $<$<COMPILE_LANGUAGE:C,CXX>:-Werror>)
endif()

# Compilers fuse a * b + c on their own; here a fused operation is written where it is meant.
add_library(iqa_arithmetic INTERFACE)
target_compile_options(iqa_arithmetic INTERFACE $<$<COMPILE_LANGUAGE:C,CXX>:-ffp-contract=off>
  $<$<COMPILE_LANGUAGE:CUDA>:--fmad=false>)

set(IQA_SANITIZE "" CACHE STRING "Sanitizers to build with: address,undefined or thread")
if(IQA_SANITIZE)
  add_compile_options(-fsanitize=${IQA_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${IQA_SANITIZE})
endif()
