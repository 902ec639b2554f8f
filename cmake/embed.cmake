# renga_embed(TARGET SYMBOL FILE DEPENDS...)
# Puts a file's bytes into the program, between the symbols SYMBOL and SYMBOL_end.
function(renga_embed target symbol file)
  set(source ${CMAKE_BINARY_DIR}/generated/${symbol}.S)
  file(CONFIGURE OUTPUT ${source} @ONLY CONTENT "  .section .rodata
  .global ${symbol}
  .global ${symbol}_end
${symbol}:
  .incbin \"${file}\"
${symbol}_end:
  .byte 0
  .section .note.GNU-stack,\"\",@progbits
")
  set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS "${file};${ARGN}" COMPILE_OPTIONS "")
  target_sources(${target} PRIVATE ${source})
endfunction()
