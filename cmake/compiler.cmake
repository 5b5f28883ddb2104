# The C++ compiler; one sentence for who has none, one that is too old, or Clang without OpenMP.

# A build folder keeps its compiler, whatever CXX says later: it forgets one that another CXX chose.
if(DEFINED ENV{CXX} AND DEFINED CHOSEN_BY_CXX AND NOT "$ENV{CXX}" STREQUAL CHOSEN_BY_CXX)
  get_cmake_property(CACHED CACHE_VARIABLES)
  list(FILTER CACHED INCLUDE REGEX "^(CMAKE_CXX_COMPILER|OpenMP_|HAS_)")
  foreach(NAME IN LISTS CACHED)
    unset(${NAME} CACHE)
  endforeach()
  file(REMOVE "${CMAKE_PLATFORM_INFO_DIR}/CMakeCXXCompiler.cmake")
endif()

# CMake's own words for an absent one speak of a CXX that nobody set (scikit-build-core did, to what
# built Python). A compiler that is there and fails is left to CMake, which shows how it fails.
if(NOT CMAKE_CXX_COMPILER)
  separate_arguments(WANTED UNIX_COMMAND "$ENV{CXX}")
  set(ABSENT "there is none")
  if(WANTED)
    list(GET WANTED 0 WANTED)
    set(ABSENT "there is no \"${WANTED}\"")
  else()
    set(WANTED c++ g++ clang++)
  endif()
  unset(FOUND_CXX CACHE)
  find_program(FOUND_CXX NAMES ${WANTED} NO_CMAKE_SYSTEM_PATH)
  mark_as_advanced(FOUND_CXX)
  if(NOT FOUND_CXX)
    message(FATAL_ERROR "lookalike needs a C++ compiler and ${ABSENT}: install one with \"apt install g++\" "
                        "(Debian, Ubuntu), \"dnf install gcc-c++\" (Fedora) or \"xcode-select --install\" and "
                        "\"brew install libomp\" (macOS), or name another: CXX=clang++ pip install .")
  endif()
  set(CHOSEN_BY_CXX "$ENV{CXX}" CACHE INTERNAL "")
endif()
enable_language(CXX)

set(OLDEST_GNU 11)
set(OLDEST_Clang 14)
set(OLDEST_AppleClang 14)
set(OLDEST "${OLDEST_${CMAKE_CXX_COMPILER_ID}}")
if(NOT OLDEST OR CMAKE_CXX_COMPILER_VERSION VERSION_LESS OLDEST)
  message(FATAL_ERROR "lookalike needs g++ 11 or Clang 14, or a later one, and ${CMAKE_CXX_COMPILER} is "
                      "${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}: install a newer one and name "
                      "it, as in CXX=g++-12 pip install .")
endif()

string(REGEX MATCH "^[0-9]+" MAJOR "${CMAKE_CXX_COMPILER_VERSION}")
set(OPENMP_OF_GNU "libgomp, which comes with g++")
set(OPENMP_OF_Clang "libomp-${MAJOR}-dev (Debian, Ubuntu) or libomp-devel (Fedora)")
set(OPENMP_OF_AppleClang "libomp with \"brew install libomp\", and say where it is: \
OpenMP_ROOT=$(brew --prefix libomp) pip install .")
set(HOW_TO_GET_OPENMP "install ${OPENMP_OF_${CMAKE_CXX_COMPILER_ID}}")
