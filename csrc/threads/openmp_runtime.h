// Which OpenMP runtime this process works with.
#pragma once

#include <string>

namespace lookalike {

// The file of the runtime in use: one that the process has loaded already, under whatever name
// some package brought it; else the system's; else the one that was installed beside this library.
// It is chosen when it is first asked for, and stays. Empty if there is none: regions then have one
// thread.
const std::string& openmp_runtime();

}  // namespace lookalike
