# vcp_add_plugin(<name> SOURCES <file>... [SCHEMA <schema.json>] [LINK <target>...])
#
# Makes the plugin <name>.so. It exports the entry symbol and nothing else, whatever it links; carries no undefined
# symbols; and is never unmapped. SCHEMA makes the text of a file available to C++ sources as
# `vcp_schema::kText` in "vcp_schema.h", so that a plugin stays one file.
#
# Variables read: VCP_PLUGIN_OUTPUT_DIR (where the files go; default <build>/plugins), VCP_PLUGIN_LINK (targets that
# every plugin of this build links: warnings, sanitizers), VCP_PLUGIN_SANITIZE (not empty: built with sanitizers).

function(vcp_add_plugin name)
  cmake_parse_arguments(ARG "" "SCHEMA" "SOURCES;LINK" ${ARGN})
  if(NOT ARG_SOURCES OR ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "vcp_add_plugin(${name}): give SOURCES, and only SOURCES, SCHEMA and LINK")
  endif()
  if(NOT VCP_PLUGIN_OUTPUT_DIR)
    set(VCP_PLUGIN_OUTPUT_DIR ${CMAKE_BINARY_DIR}/plugins)
  endif()

  add_library(${name} MODULE ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE vcp::plugin ${ARG_LINK} ${VCP_PLUGIN_LINK})
  if(CMAKE_CXX_COMPILER_LOADED)
    target_compile_features(${name} PRIVATE cxx_std_17)
  endif()
  set_target_properties(${name} PROPERTIES
    PREFIX "" SUFFIX .so
    LIBRARY_OUTPUT_DIRECTORY ${VCP_PLUGIN_OUTPUT_DIR}
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    POSITION_INDEPENDENT_CODE ON
    LINK_DEPENDS ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/vcp_plugin.map)
  # Hidden visibility does not reach static libraries built elsewhere; the version script and --exclude-libs do.
  target_link_options(${name} PRIVATE
    LINKER:--version-script=${CMAKE_CURRENT_FUNCTION_LIST_DIR}/vcp_plugin.map LINKER:--exclude-libs,ALL LINKER:-z,nodelete)
  # clang links the sanitizer run-time into the program only, so a plugin must leave its symbols open.
  if(NOT (VCP_PLUGIN_SANITIZE AND "${CMAKE_C_COMPILER_ID} ${CMAKE_CXX_COMPILER_ID}" MATCHES "Clang"))
    target_link_options(${name} PRIVATE LINKER:-z,defs)
  endif()

  if(ARG_SCHEMA)
    vcp_embed_schema(${name} ${ARG_SCHEMA})
  endif()
endfunction()

# vcp_embed_schema(<target> <schema.json>): the header "vcp_schema.h" for a target; tests of a driver use it too.
function(vcp_embed_schema target schema)
  cmake_path(ABSOLUTE_PATH schema BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} NORMALIZE)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${schema})
  file(READ ${schema} text)
  set(dir ${CMAKE_CURRENT_BINARY_DIR}/${target}_schema)
  file(CONFIGURE OUTPUT ${dir}/vcp_schema.h @ONLY CONTENT
"#pragma once
namespace vcp_schema {
inline constexpr char kText[] = R\"vcp_schema(@text@)vcp_schema\";
}
")
  target_include_directories(${target} PRIVATE ${dir})
endfunction()

# vcp_add_fake_cloud(<name> SOURCES <file>... [LINK <target>...]): a simulated cloud (vcp/plugin/testing/fake_cloud.h) for
# `vcp-plugin-check conformance --cloud`.
function(vcp_add_fake_cloud name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_library(${name} MODULE ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE vcp::plugin ${ARG_LINK} ${VCP_PLUGIN_LINK})
  target_compile_features(${name} PRIVATE cxx_std_17)
  set_target_properties(${name} PROPERTIES PREFIX "" SUFFIX .so
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
endfunction()

# vcp_add_conformance_test(<plugin> CASE <case.json> [NAME <test>] [CLOUD <target>] [ARGUMENTS <word>...]): tests
# `<test>.abi` and `<test>.conformance`, made by vcp-plugin-check. <test> is <plugin> unless it is given.
function(vcp_add_conformance_test plugin)
  cmake_parse_arguments(ARG "" "CASE;CLOUD;NAME" "ARGUMENTS" ${ARGN})
  cmake_path(ABSOLUTE_PATH ARG_CASE BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
  if(NOT ARG_NAME)
    set(ARG_NAME ${plugin})
  endif()
  set(cloud)
  if(ARG_CLOUD)
    set(cloud --cloud $<TARGET_FILE:${ARG_CLOUD}>)
  endif()
  add_test(NAME ${ARG_NAME}.abi COMMAND $<TARGET_FILE:vcp::plugin_check> abi $<TARGET_FILE:${plugin}>
    --case ${ARG_CASE})
  add_test(NAME ${ARG_NAME}.conformance COMMAND $<TARGET_FILE:vcp::plugin_check> conformance $<TARGET_FILE:${plugin}>
    --case ${ARG_CASE} ${cloud} ${ARG_ARGUMENTS})
endfunction()
