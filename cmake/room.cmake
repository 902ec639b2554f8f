# renga_room(NAME DEPENDS rooms... LIBRARIES libraries...)
#
# One room: src/NAME, or providers/NAME for an add-on provider, is a static library of every .cpp in it (tests and fakes apart) and, where it has
# any x_test.cpp, one GoogleTest program NAME_test. Sources are globbed, so a new file edits no build
# file. tools/check_rooms reads DEPENDS from here and refuses any other include.
include(GoogleTest)

function(renga_room name)
  cmake_parse_arguments(ROOM "" "" "DEPENDS;LIBRARIES" ${ARGN})
  set(parent ${CMAKE_SOURCE_DIR}/src)
  if(NOT IS_DIRECTORY ${parent}/${name})
    set(parent ${CMAKE_SOURCE_DIR}/providers)
  endif()
  set(here ${parent}/${name})

  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${here}/*.cpp)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "(_test\\.cpp$|/testing/)")
  list(FILTER sources EXCLUDE REGEX "(_test\\.cpp$|/testing/)")

  list(TRANSFORM ROOM_DEPENDS PREPEND renga_ OUTPUT_VARIABLE rooms)
  if(sources)
    add_library(renga_${name} STATIC ${sources})
    target_include_directories(renga_${name} PUBLIC ${parent})
    target_link_libraries(renga_${name} PUBLIC ${rooms} ${ROOM_LIBRARIES})
    renga_migrations(renga_${name} ${name} ${here})
  else()
    add_library(renga_${name} INTERFACE)
    target_include_directories(renga_${name} INTERFACE ${parent})
    target_link_libraries(renga_${name} INTERFACE ${rooms} ${ROOM_LIBRARIES})
  endif()

  if(tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE renga_${name} GTest::gmock_main)
    gtest_discover_tests(${name}_test TEST_PREFIX ${name}. DISCOVERY_MODE PRE_TEST
                         DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 120)
  endif()
endfunction()

# Embeds HERE/migrations/*.sql as `renga::ROOM::migrations()`, declared in "ROOM/migrations.h".
function(renga_migrations target room here)
  file(GLOB sql CONFIGURE_DEPENDS ${here}/migrations/*.sql)
  if(NOT sql)
    return()
  endif()
  set(out ${CMAKE_BINARY_DIR}/generated/${room})
  add_custom_command(
    OUTPUT ${out}/migrations.cpp ${out}/migrations.h
    COMMAND ${CMAKE_COMMAND} -DROOM=${room} -DOUT=${out} "-DSQL=${sql}" -P ${CMAKE_SOURCE_DIR}/cmake/embed_migrations.cmake
    DEPENDS ${sql} ${CMAKE_SOURCE_DIR}/cmake/embed_migrations.cmake VERBATIM)
  target_sources(${target} PRIVATE ${out}/migrations.cpp ${out}/migrations.h)
  target_include_directories(${target} PUBLIC ${CMAKE_BINARY_DIR}/generated)
endfunction()
