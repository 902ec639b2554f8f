# Compiler, linker and sanitizers. ccache and mold are used when they are there.
find_program(CCACHE ccache)
if(CCACHE)
  # Paths count relative to the tree, so that clones of it share what they compiled.
  set(launcher ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()

find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()

add_compile_options(-fdiagnostics-color=always -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Werror)
# GCC 12 warns of uninitialised use inside std::optional and std::expected where there is none.
add_compile_options($<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-maybe-uninitialized>)
# Line tables are enough for the sanitizers' reports, and half as much to link.
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1 -fno-omit-frame-pointer")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")

if(RENGA_SANITIZE STREQUAL "address")
  set(RENGA_SANITIZE_FLAGS -fsanitize=address,undefined -fno-sanitize-recover=all)
elseif(RENGA_SANITIZE STREQUAL "thread")
  set(RENGA_SANITIZE_FLAGS -fsanitize=thread -Wno-tsan)
endif()
add_compile_options(${RENGA_SANITIZE_FLAGS})
add_link_options(${RENGA_SANITIZE_FLAGS})
