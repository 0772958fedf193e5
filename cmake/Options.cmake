# Warnings, hardening and sanitizers as one interface target that every module links.
option(COURANT_WERROR "treat warnings as errors" OFF)
option(COURANT_HARDEN "hardening flags for production builds" OFF)
option(COURANT_UNITY "several sources in one translation unit: a whole build in half the time, a changed file in more" OFF)
option(COURANT_LINT "run clang-tidy with the compiler" OFF)
set(COURANT_SANITIZE "" CACHE STRING "sanitizers, comma separated: address,undefined or thread")

add_library(courant_options INTERFACE)
target_include_directories(courant_options INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR}/generated)
target_compile_options(courant_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
                       -Woverloaded-virtual -Wimplicit-fallthrough -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports these falsely inside coroutine frames and std::variant.
  target_compile_options(courant_options INTERFACE -Wno-maybe-uninitialized -Wno-dangling-pointer
                         -Wno-mismatched-new-delete)
else()
  target_compile_options(courant_options INTERFACE -Wthread-safety)
endif()
if(COURANT_WERROR)
  target_compile_options(courant_options INTERFACE -Werror)
endif()
if(COURANT_HARDEN)
  target_compile_options(courant_options INTERFACE -fstack-protector-strong -fstack-clash-protection
                         -D_FORTIFY_SOURCE=2 -D_GLIBCXX_ASSERTIONS)
  target_link_options(courant_options INTERFACE -Wl,-z,relro -Wl,-z,now)
endif()
if(COURANT_SANITIZE)
  # Not optimised and with line numbers only: it compiles in half the time of -O1 -g, and the tests mostly wait.
  # Those three cost a third of the time to compile and tell nothing here that the address sanitizer does not: null is an
  # address that it traps, objects of the wrong type are freed ones, and this machine reads unaligned words.
  target_compile_options(courant_options INTERFACE -fsanitize=${COURANT_SANITIZE} -fno-sanitize=null,vptr,alignment
                                                   -fno-sanitize-recover=all -O0 -g1)
  target_link_options(courant_options INTERFACE -fsanitize=${COURANT_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # UndefinedBehaviorSanitizer makes g++ 12 believe in null pointers and overflows that cannot be.
    target_compile_options(courant_options INTERFACE -Wno-nonnull -Wno-stringop-overflow -Wno-array-bounds)
  endif()
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang" AND COURANT_SANITIZE MATCHES "undefined")
    # clang 14 cannot place what this check needs beside coroutines.
    target_compile_options(courant_options INTERFACE -fno-sanitize=function)
  endif()
  if(COURANT_SANITIZE STREQUAL "thread")
    # ThreadSanitizer does not know fences; what Asio needs them for is ordered by its mutexes as well.
    target_compile_definitions(courant_options INTERFACE BOOST_ASIO_DISABLE_FENCED_BLOCK)
    target_compile_options(courant_options INTERFACE -Wno-error=tsan)
  endif()
endif()
if(COURANT_FUZZ)
  target_compile_options(courant_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(COURANT_UNITY)
  # Names in anonymous namespaces must differ within a module: which files meet in a unit changes with every new one.
  set(CMAKE_UNITY_BUILD ON)
  set(CMAKE_UNITY_BUILD_BATCH_SIZE 16)
  # Of a class that is one source file's own, where that file is included by another.
  target_compile_options(courant_options INTERFACE -Wno-subobject-linkage)
endif()
if(COURANT_LINT)
  set(CMAKE_CXX_CLANG_TIDY clang-tidy --quiet)
endif()
