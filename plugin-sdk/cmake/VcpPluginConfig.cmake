include(CMakeFindDependencyMacro)
find_dependency(nlohmann_json)
include(${CMAKE_CURRENT_LIST_DIR}/VcpPluginTargets.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/VcpPlugin.cmake)
