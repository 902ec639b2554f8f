# Writes ROOM/migrations.{h,cpp} from a room's SQL files, in the order of their names.
list(SORT SQL)
file(MAKE_DIRECTORY ${OUT})
file(WRITE ${OUT}/migrations.h
"// Generated from the room's migrations/. The room's tables, oldest migration first.
#pragma once
#include <span>
#include \"store/migration.h\"
namespace renga::${ROOM} {
std::span<const store::Migration> migrations();
}
")
set(body "#include \"${ROOM}/migrations.h\"\nnamespace renga::${ROOM} {\nstd::span<const store::Migration> migrations() {\n  static const store::Migration all[] = {\n")
foreach(file ${SQL})
  get_filename_component(name ${file} NAME_WE)
  file(READ ${file} text)
  string(APPEND body "      {\"${ROOM}/${name}\", R\"renga_sql(${text})renga_sql\"},\n")
endforeach()
string(APPEND body "  };\n  return all;\n}\n}\n")
file(WRITE ${OUT}/migrations.cpp "${body}")
