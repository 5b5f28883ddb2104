// The limits of this machine, one per line: `level limit per_core all_cores`, in 10^9 per second.
// For arithmetic the unit is one feature of one pair of rows, what a distance kernel spends per element;
// for memory it is bytes read.
//
// Each arithmetic loop keeps independent accumulators in registers, enough to hide latency, and touches no
// memory: its rate is that of the execution ports, and a kernel that also loads its rows stays below it.
// A loop is written once over a vector type and compiled once per level by function-level target
// attributes; it is run only on a CPU that has the level, so the file needs no SIMD flag and builds anywhere.

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#define REGISTER "+v"
#elif defined(__aarch64__)
#define REGISTER "+w"
#else
#error "roofline.cpp knows x86-64 and aarch64 only"
#endif

// Hides a register's value from the optimiser, at no cost: nothing is folded, hoisted or dropped.
#define HIDE(x) asm volatile("" : REGISTER(x))

namespace {

using Clock = std::chrono::steady_clock;
using Work = std::function<double(std::uint64_t rounds)>;  // returns the units of work it did

constexpr int chains =
    10;  // latency 4 on two ports wants 8; 10 leave room for operands in 16 registers
constexpr std::uint64_t steps = 256;  // of every chain in one round

struct Outcome {
  double seconds, units;
};

// Gives thread t a core of its own: left alone, two new threads may share one for longer than a run lasts.
void pin(int t) {
#if defined(__linux__)
  cpu_set_t allowed, mine;
  if (sched_getaffinity(getpid(), sizeof allowed, &allowed) != 0) return;
  CPU_ZERO(&mine);
  int skip = t % CPU_COUNT(&allowed);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &allowed) && skip-- == 0) CPU_SET(cpu, &mine);
  pthread_setaffinity_np(pthread_self(), sizeof mine, &mine);
#endif
}

Outcome run_team(const Work& work, int threads, std::uint64_t rounds) {
  std::atomic<int> ready{0};
  std::atomic<bool> go{false};
  std::vector<double> units(static_cast<std::size_t>(threads));
  std::vector<std::thread> team;
  for (int t = 0; t < threads; ++t)
    team.emplace_back([&, t] {
      pin(t);
      ready.fetch_add(1);
      while (!go.load()) std::this_thread::yield();
      units[static_cast<std::size_t>(t)] = work(rounds);
    });
  while (ready.load() < threads) std::this_thread::yield();
  const auto start = Clock::now();
  go.store(true);
  for (auto& thread : team) thread.join();
  Outcome outcome{std::chrono::duration<double>(Clock::now() - start).count(), 0};
  for (double u : units) outcome.units += u;
  return outcome;
}

// The best of several runs: another program can slow a run down, never speed it up.
double rate(const Work& work, int threads) {
  std::uint64_t rounds = 1;
  while (run_team(work, threads, rounds).seconds < 0.01) rounds *= 2;
  double best = 0;
  for (int run = 0; run < 8; ++run) {
    const Outcome outcome = run_team(work, threads, rounds * 4);
    best = std::max(best, outcome.units / outcome.seconds);
  }
  return best / 1e9;
}

int all_cores = 1;

void report(const char* level, const char* limit, const Work& work) {
  std::printf("%s %s %.2f %.2f\n", level, limit, rate(work, 1), rate(work, all_cores));
  std::fflush(stdout);
}

// One loop: STEP updates chain c from the operands u and v, which it hides so that nothing is invariant.
#define LOOP(NAME, TARGET, VECTOR, UNITS, STEP)                   \
  TARGET double NAME(std::uint64_t rounds) {                      \
    VECTOR acc[chains] = {}, u = {}, v = {};                      \
    u += 1;                                                       \
    v += 1;                                                       \
    for (std::uint64_t r = 0; r < rounds * steps; ++r) {          \
      _Pragma("GCC unroll 16") for (int c = 0; c < chains; ++c) { \
        HIDE(u);                                                  \
        HIDE(v);                                                  \
        STEP;                                                     \
        HIDE(acc[c]);                                             \
      }                                                           \
    }                                                             \
    return double(rounds) * double(steps) * chains * (UNITS);     \
  }

// All loops that a vector type of so many BYTES can say, for one level. A product next to a sum becomes one
// fused multiply-add where the level has it (-ffp-contract=fast).
#define LEVEL(LEVEL_NAME, TARGET, BYTES)                                            \
  namespace LEVEL_NAME {                                                            \
  typedef float f32 __attribute__((vector_size(BYTES)));                            \
  typedef double f64 __attribute__((vector_size(BYTES)));                           \
  typedef std::int32_t i32 __attribute__((vector_size(BYTES)));                     \
  typedef std::uint64_t u64 __attribute__((vector_size(BYTES)));                    \
  constexpr int lanes = (BYTES) / 4;                                                \
  LOOP(fp32_multiply_add, TARGET, f32, lanes, acc[c] += u * v)                      \
  LOOP(fp64_multiply_add, TARGET, f64, lanes / 2, acc[c] += u * v)                  \
  LOOP(fp32_squared_difference, TARGET, f32, lanes, f32 t = u - v; acc[c] += t * t) \
  LOOP(fp32_absolute_difference, TARGET, f32, lanes, f32 t = u - v;                 \
       acc[c] += (f32)((i32)t & 0x7fffffff))                                        \
  LOOP(fp32_quotient, TARGET, f32, lanes, f32 t = u - v; f32 s = u + v;             \
       acc[c] += (f32)((i32)t & 0x7fffffff) / s)                                    \
  TARGET double read(const char* bytes, std::size_t size, std::uint64_t rounds) {   \
    u64 acc[8] = {};                                                                \
    for (std::uint64_t r = 0; r < rounds; ++r)                                      \
      for (std::size_t i = 0; i + sizeof acc <= size; i += sizeof acc) {            \
        const u64* line = reinterpret_cast<const u64*>(bytes + i);                  \
        _Pragma("GCC unroll 8") for (int c = 0; c < 8; ++c) acc[c] ^= line[c];      \
      }                                                                             \
    for (u64 & a : acc) HIDE(a);                                                    \
    return double(rounds) * double(size);                                           \
  }                                                                                 \
  }

#if defined(__x86_64__)
#define TARGET_AVX2 __attribute__((target("avx2,fma")))
#define TARGET_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
#define TARGET_VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))
#define TARGET_VBMI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi")))

LEVEL(baseline, , 16)
LEVEL(avx2, TARGET_AVX2, 32)
LEVEL(avx512, TARGET_AVX512, 64)

// What vector types cannot say. Maxima as an instruction: the portable form is a compare and a blend.
LOOP(baseline_maximum, , __m128, 4,
     acc[c] = _mm_max_ps(acc[c], _mm_andnot_ps(_mm_set1_ps(-0.0f), u - v)))
LOOP(avx2_maximum, TARGET_AVX2, __m256, 8,
     acc[c] = _mm256_max_ps(acc[c], _mm256_andnot_ps(_mm256_set1_ps(-0.0f), u - v)))
LOOP(avx512_maximum, TARGET_AVX512, __m512, 16,
     acc[c] = _mm512_max_ps(acc[c], _mm512_abs_ps(u - v)))
LOOP(baseline_sad, , __m128i, 16, acc[c] = _mm_add_epi64(acc[c], _mm_sad_epu8(u, v)))
LOOP(avx2_sad, TARGET_AVX2, __m256i, 32, acc[c] = _mm256_add_epi64(acc[c], _mm256_sad_epu8(u, v)))
LOOP(avx512_sad, TARGET_AVX512, __m512i, 64,
     acc[c] = _mm512_add_epi64(acc[c], _mm512_sad_epu8(u, v)))
LOOP(avx2_uint8_maximum, TARGET_AVX2, __m256i, 32,
     acc[c] = _mm256_max_epu8(acc[c],
                              _mm256_or_si256(_mm256_subs_epu8(u, v), _mm256_subs_epu8(v, u))))
LOOP(avx512_uint8_maximum, TARGET_AVX512, __m512i, 64,
     acc[c] = _mm512_max_epu8(acc[c],
                              _mm512_or_si512(_mm512_subs_epu8(u, v), _mm512_subs_epu8(v, u))))
// Without VNNI: products of bytes, one of them of 7 bits, to 16 bits, to 32 bits, then the sum.
LOOP(avx2_int7_dot, TARGET_AVX2, __m256i, 32,
     acc[c] = _mm256_add_epi32(acc[c],
                               _mm256_madd_epi16(_mm256_maddubs_epi16(u, v), _mm256_set1_epi16(1))))
LOOP(avx512_int7_dot, TARGET_AVX512, __m512i, 64,
     acc[c] = _mm512_add_epi32(acc[c],
                               _mm512_madd_epi16(_mm512_maddubs_epi16(u, v), _mm512_set1_epi16(1))))
LOOP(vnni_int8_dot, TARGET_VNNI, __m512i, 64, acc[c] = _mm512_dpbusd_epi32(acc[c], u, v))
// Terms from a table of 128 bytes, by the difference of two codes; then their sum.
LOOP(vbmi_uint8_table, TARGET_VBMI, __m512i, 64,
     __m512i d = _mm512_sub_epi8(_mm512_max_epu8(u, v), _mm512_min_epu8(u, v));
     d = _mm512_permutex2var_epi8(u, _mm512_min_epu8(d, _mm512_set1_epi8(127)), v);
     acc[c] = _mm512_add_epi64(acc[c], _mm512_sad_epu8(d, _mm512_setzero_si512())))
#else
LEVEL(baseline, , 16)
#endif

#define REPORT_LEVEL(LEVEL_NAME)                                                         \
  report(#LEVEL_NAME, "fp32_multiply_add", LEVEL_NAME::fp32_multiply_add);               \
  report(#LEVEL_NAME, "fp64_multiply_add", LEVEL_NAME::fp64_multiply_add);               \
  report(#LEVEL_NAME, "fp32_squared_difference", LEVEL_NAME::fp32_squared_difference);   \
  report(#LEVEL_NAME, "fp32_absolute_difference", LEVEL_NAME::fp32_absolute_difference); \
  report(#LEVEL_NAME, "fp32_quotient", LEVEL_NAME::fp32_quotient);

constexpr std::size_t huge_page = 2 << 20;

using Read = double (*)(const char*, std::size_t, std::uint64_t);

// Every thread reads a buffer of its own, in full, `rounds` times.
void report_read(const char* level, const char* limit, Read read, std::size_t size) {
  std::vector<std::unique_ptr<char, void (*)(void*)>> buffers;
  for (int t = 0; t < all_cores; ++t) {
    buffers.emplace_back(static_cast<char*>(std::aligned_alloc(
                             huge_page, (size + huge_page - 1) / huge_page * huge_page)),
                         std::free);
    if (!buffers.back()) return;  // no room: the limit is left out
#if defined(MADV_HUGEPAGE)
    madvise(buffers.back().get(), size, MADV_HUGEPAGE);  // else the page walk is what is measured
#endif
    std::fill_n(buffers.back().get(), size, char(t));
  }
  std::atomic<unsigned> next{0};
  report(level, limit, [&](std::uint64_t rounds) {
    return read(buffers[next.fetch_add(1) % buffers.size()].get(), size, rounds);
  });
}

void report_reads(const char* level, Read read) {
  const long l2 = sysconf(_SC_LEVEL2_CACHE_SIZE);
  report_read(level, "l2_read", read, l2 > 0 ? std::size_t(l2) / 2 / 4096 * 4096 : 128 << 10);
  // A database of 20,000 rows of 1,024 float32, wherever in the caches it lies.
  report_read(level, "database_read", read, (80u << 20) / unsigned(all_cores) / 4096 * 4096);
  // Together larger than any last-level cache of today, however few the cores.
  report_read(level, "memory_read", read,
              std::max<std::size_t>((1u << 30) / unsigned(all_cores), 64 << 20));
}

}  // namespace

int main(int argc, char** argv) {
  all_cores = argc > 1 ? std::max(1, std::atoi(argv[1])) : int(std::thread::hardware_concurrency());
  REPORT_LEVEL(baseline)
  Read widest = baseline::read;
  const char* widest_level = "baseline";
#if defined(__x86_64__)
  __builtin_cpu_init();
  report("baseline", "fp32_maximum_difference", baseline_maximum);
  report("baseline", "uint8_absolute_difference", baseline_sad);
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    REPORT_LEVEL(avx2)
    report("avx2", "fp32_maximum_difference", avx2_maximum);
    report("avx2", "uint8_absolute_difference", avx2_sad);
    report("avx2", "uint8_maximum_difference", avx2_uint8_maximum);
    report("avx2", "int7_dot", avx2_int7_dot);
    widest = avx2::read;
    widest_level = "avx2";
  }
  if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl")) {
    REPORT_LEVEL(avx512)
    report("avx512", "fp32_maximum_difference", avx512_maximum);
    report("avx512", "uint8_absolute_difference", avx512_sad);
    report("avx512", "uint8_maximum_difference", avx512_uint8_maximum);
    report("avx512", "int7_dot", avx512_int7_dot);
    if (__builtin_cpu_supports("avx512vnni")) report("avx512", "int8_dot", vnni_int8_dot);
    if (__builtin_cpu_supports("avx512vbmi")) report("avx512", "uint8_table", vbmi_uint8_table);
    widest = avx512::read;
    widest_level = "avx512";
  }
#endif
  report_reads(widest_level, widest);
}
