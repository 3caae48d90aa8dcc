# find_package(VcpPlugin [COMPONENTS xml openstack]): the targets vcp::plugin, in a project with C++ vcp::plugin_json, which
# needs nlohmann-json, and vcp_add_plugin(). With the component xml, which needs pugixml, vcp::plugin_xml; with openstack the
# parts of the product's driver for OpenStack, vcp::openstack.
include(CMakeFindDependencyMacro)
if(CMAKE_CXX_COMPILER_LOADED)
  find_dependency(nlohmann_json)
endif()
if(xml IN_LIST ${CMAKE_FIND_PACKAGE_NAME}_FIND_COMPONENTS)
  if(${CMAKE_FIND_PACKAGE_NAME}_FIND_REQUIRED_xml)
    find_dependency(pugixml)
  else()
    find_package(pugixml QUIET)
  endif()
  set(${CMAKE_FIND_PACKAGE_NAME}_xml_FOUND ${pugixml_FOUND})
endif()
include(${CMAKE_CURRENT_LIST_DIR}/VcpPluginTargets.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/VcpPlugin.cmake)
if(openstack IN_LIST ${CMAKE_FIND_PACKAGE_NAME}_FIND_COMPONENTS)
  find_path(VCP_OPENSTACK_SOURCES vcp/openstack/driver.cpp NO_DEFAULT_PATH
    PATHS ${CMAKE_CURRENT_LIST_DIR}/../../.. ${CMAKE_CURRENT_LIST_DIR}/../../../.. PATH_SUFFIXES share/vcp-plugin)
  if(VCP_OPENSTACK_SOURCES AND NOT TARGET vcp_openstack)
    # Compiled here, with the flags and the compiler of who links it: C++ crosses no such border.
    file(GLOB VCP_OPENSTACK_FILES ${VCP_OPENSTACK_SOURCES}/vcp/openstack/*.cpp)
    add_library(vcp_openstack STATIC EXCLUDE_FROM_ALL ${VCP_OPENSTACK_FILES})
    add_library(vcp::openstack ALIAS vcp_openstack)
    target_include_directories(vcp_openstack PUBLIC ${VCP_OPENSTACK_SOURCES})
    target_compile_features(vcp_openstack PUBLIC cxx_std_17)
    target_link_libraries(vcp_openstack PUBLIC vcp::plugin_json)
    set_target_properties(vcp_openstack PROPERTIES POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden
      VISIBILITY_INLINES_HIDDEN ON)
  endif()
  set(${CMAKE_FIND_PACKAGE_NAME}_openstack_FOUND ${VCP_OPENSTACK_SOURCES})
endif()
