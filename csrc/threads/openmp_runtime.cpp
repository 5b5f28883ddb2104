#include "threads/openmp_runtime.h"

// Linked in the ordinary way, libgomp.so.1 would be missing in slim images, and would come a second
// time where another package has brought its own under another name. So what GCC compiles a region
// to is defined here, and handed on to the runtime that is found.
#if defined(__linux__) && defined(__GNUC__) && !defined(__clang__)
#define LOOKALIKE_FINDS_OPENMP 1
#include <dlfcn.h>
#include <link.h>

#include <cstdint>
#include <cstring>
#include <vector>
#endif

namespace lookalike {

#ifdef LOOKALIKE_FINDS_OPENMP
namespace {

using Body = void (*)(void*);

struct Runtime {
  void (*parallel)(Body, void*, unsigned, unsigned) = nullptr;
  int (*thread_num)() = nullptr;
  int (*max_threads)() = nullptr;
  std::string path;
};

template <typename Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

// Whether a library is a runtime that can be used; it is then kept loaded.
bool take(const char* path, int flags, Runtime& runtime) {
  void* library = dlopen(path, RTLD_LAZY | RTLD_LOCAL | flags);
  if (!library) return false;
  Runtime found;
  if (find(library, "GOMP_parallel", found.parallel) &&
      find(library, "omp_get_thread_num", found.thread_num) &&
      find(library, "omp_get_max_threads", found.max_threads)) {
    Dl_info info;
    const bool known = dladdr(reinterpret_cast<void*>(found.parallel), &info) && info.dli_fname;
    found.path = known ? info.dli_fname : path;
    runtime = found;
    return true;
  }
  dlclose(library);
  return false;
}

// libgomp.so.1, libgomp-a34b3233.so.1.0.0, libomp.so, libiomp5.so: all offer GCC's interface.
bool may_be_runtime(const char* path) {
  const char* slash = std::strrchr(path, '/');
  const char* name = slash ? slash + 1 : path;
  for (const char* each : {"libgomp", "libomp", "libiomp"})
    if (std::strncmp(name, each, std::strlen(each)) == 0) return true;
  return false;
}

int note_if_runtime(dl_phdr_info* info, size_t, void* found) {
  if (info->dlpi_name && may_be_runtime(info->dlpi_name))
    static_cast<std::vector<std::string>*>(found)->emplace_back(info->dlpi_name);
  return 0;
}

std::string beside_this_library() {
  Dl_info info;
  if (!dladdr(reinterpret_cast<void*>(&openmp_runtime), &info) || !info.dli_fname) return {};
  const std::string path = info.dli_fname;
  return path.substr(0, path.rfind('/') + 1) + "_libs/libgomp.so.1";
}

const Runtime& runtime() {
  // Never destroyed: a thread may work on while the process ends.
  static const Runtime& chosen = *[] {
    auto* made = new Runtime;
    std::vector<std::string> loaded;
    dl_iterate_phdr(note_if_runtime, &loaded);
    for (const std::string& path : loaded)
      if (take(path.c_str(), RTLD_NOLOAD, *made)) return made;
    if (take("libgomp.so.1", 0, *made)) return made;
    take(beside_this_library().c_str(), 0, *made);
    return made;
  }();
  return chosen;
}

}  // namespace

const std::string& openmp_runtime() { return runtime().path; }

// As <omp.h> and GCC declare them; hidden, so that nobody else gets them.
extern "C" {

void GOMP_parallel(Body body, void* data, unsigned threads, unsigned flags) {
  if (runtime().parallel)
    runtime().parallel(body, data, threads, flags);
  else
    body(data);
}

int omp_get_thread_num() noexcept { return runtime().thread_num ? runtime().thread_num() : 0; }

int omp_get_max_threads() noexcept { return runtime().max_threads ? runtime().max_threads() : 1; }
}

#else

const std::string& openmp_runtime() {
  static const std::string linked = "linked";
  return linked;
}

#endif

}  // namespace lookalike
