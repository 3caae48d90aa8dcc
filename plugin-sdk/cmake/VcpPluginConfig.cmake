# find_package(VcpPlugin [COMPONENTS xml]): the targets vcp::plugin, vcp::plugin_json and, with the component xml, which
# needs pugixml, vcp::plugin_xml; and vcp_add_plugin().
include(CMakeFindDependencyMacro)
find_dependency(nlohmann_json)
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
