/* Included in front of all that the wrappers compile: the processor's time stamps come from the
 * simulation, whose clock is virtual, so that a program that decides by them can be repeated. They
 * are in nanoseconds, and to read one is a step, as for clock_gettime(). */
#if !defined(JACQUARD_TIME_STAMPS_H_) && !defined(__ASSEMBLER__) && defined(__x86_64__)
#define JACQUARD_TIME_STAMPS_H_
#pragma clang system_header /* no warnings of what is here */

/* In inline assembly: the instructions become calls, which leave all registers but those of the
 * result as they are. Without a red zone (-mno-red-zone) nothing lies where a call writes. */
__asm__(
    ".ifndef jacquard_replaces_time_stamps\n"
    ".set jacquard_replaces_time_stamps, 1\n"
    ".macro rdtsc\n"
    "call jacquard_rdtsc\n"
    ".endm\n"
    ".macro rdtscp\n"
    "call jacquard_rdtscp\n"
    ".endm\n"
    ".endif\n");

/* What the intrinsics are made of. */
#define __builtin_ia32_rdtsc()                                           \
  __extension__({                                                        \
    unsigned long long jacquard_low, jacquard_high;                      \
    __asm__ volatile("rdtsc" : "=a"(jacquard_low), "=d"(jacquard_high)); \
    jacquard_high << 32 | jacquard_low;                                  \
  })
#define __builtin_ia32_rdtscp(processor)                                                   \
  __extension__({                                                                          \
    unsigned long long jacquard_low, jacquard_high, jacquard_processor;                    \
    __asm__ volatile("rdtscp"                                                              \
                     : "=a"(jacquard_low), "=d"(jacquard_high), "=c"(jacquard_processor)); \
    *(processor) = (unsigned)jacquard_processor;                                           \
    jacquard_high << 32 | jacquard_low;                                                    \
  })
#define __builtin_readcyclecounter() __builtin_ia32_rdtsc()
/* Known to newer compilers by itself. A declaration of it stays one. */
#if __has_builtin(__rdtsc)
#define __rdtsc(...) jacquard_rdtsc_of_##__VA_ARGS__()
#define jacquard_rdtsc_of_() __builtin_ia32_rdtsc()
#define jacquard_rdtsc_of_void() __rdtsc(void)
#endif

#endif
