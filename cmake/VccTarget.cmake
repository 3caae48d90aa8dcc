# Compile options that every target of this project shares.
add_library(vcc_options INTERFACE)
target_compile_options(vcc_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-align
  -Woverloaded-virtual -Wconversion -Wsign-conversion -Wnull-dereference -Wformat=2
  # Designated initialisers name what they set; the rest has its default on purpose.
  -Wno-missing-field-initializers
  -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports impossible null dereferences and restrict overlaps inside libstdc++ when it inlines (bug 105651 and kin).
  target_compile_options(vcc_options INTERFACE -Wno-null-dereference -Wno-restrict)
  if(CMAKE_UNITY_BUILD)
    # Every file is then an included one, of which GCC believes that others include it too.
    target_compile_options(vcc_options INTERFACE -Wno-subobject-linkage)
  endif()
else()
  target_compile_options(vcc_options INTERFACE -Wthread-safety)
  if(CMAKE_UNITY_BUILD)
    # One file's constants are no outer scope of another's functions; clang-tidy, which reads file by file, still tells.
    target_compile_options(vcc_options INTERFACE -Wno-shadow)
  endif()
endif()
target_compile_definitions(vcc_options INTERFACE POCO_NO_AUTOMATIC_LIBS)
if(VCC_SANITIZE)
  target_compile_options(vcc_options INTERFACE -fsanitize=${VCC_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  if(VCC_SANITIZE MATCHES "undefined")
    # A fifth of the compile time for what the address sanitizer finds as well; and with clang the objects of libstdc++'s
    # error categories seem to be none.
    target_compile_options(vcc_options INTERFACE -fno-sanitize=null,object-size,vptr)
  endif()
  # As gcc, and newer versions of clang, say it.
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    string(REGEX REPLACE ",.*" "" kind ${VCC_SANITIZE})
    string(TOUPPER ${kind} kind)
    target_compile_options(vcc_options INTERFACE -D__SANITIZE_${kind}__=1)
  endif()
  target_link_options(vcc_options INTERFACE -fsanitize=${VCC_SANITIZE})
else()
  target_compile_options(vcc_options INTERFACE $<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2> -fstack-protector-strong)
endif()
target_link_options(vcc_options INTERFACE -Wl,--as-needed)
find_program(VCC_MOLD mold)
if(VCC_MOLD)
  target_link_options(vcc_options INTERFACE -fuse-ld=mold)
endif()

# vcc_add_library(<folder> [DEPENDS <folder or target>...]): the static library of one folder of core/.
function(vcc_add_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*/*.cpp)
  # Of a program; the rest of its folder can be tested.
  list(FILTER sources EXCLUDE REGEX "/(main|wipe_on_free)\\.cpp$")
  add_library(vcc_${name} STATIC ${sources})
  target_include_directories(vcc_${name} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(vcc_${name} PUBLIC ${ARG_DEPENDS} PRIVATE vcc_options)
endfunction()
