/* Included in front of all that the wrappers compile: instructions in inline assembly that matter to
 * the simulation become calls of it, or get one in front of them, which leave all registers but
 * those of the result as they are (sim/inline_assembly.S). Without a red zone (-mno-red-zone)
 * nothing lies where a call writes.
 *
 * Atomic instructions and fences are seen by the simulation then as if hooks stood there. The
 * processor's time stamps come from it, whose clock is virtual, so that a program that decides by
 * them can be repeated: they are in nanoseconds, and to read one is a step, as for clock_gettime().
 *
 * The assembler looks for macros before it looks for instructions, and tells capitals apart for the
 * former only: so a macro can make the instruction that it has the name of. */
#if !defined(JACQUARD_INLINE_ASSEMBLY_H_) && !defined(__ASSEMBLER__) && defined(__x86_64__)
#define JACQUARD_INLINE_ASSEMBLY_H_
#pragma clang system_header /* no warnings of what is here */

__asm__(
    ".ifndef jacquard_inline_assembly\n"
    ".set jacquard_inline_assembly, 1\n"
    /* A prefix, in one statement with its instruction or before it. The call takes its place. */
    ".macro lock instruction:vararg\n"
    "call jacquard_inline_locked\n"
    "\\instruction\n"
    ".endm\n"
    /* Those with an operand in memory matter. */
    ".irp suffix, , b, w, l, q\n"
    ".macro xchg\\suffix operands:vararg\n"
    "call jacquard_inline_access\n"
    "XCHG\\suffix \\operands\n"
    ".endm\n"
    ".macro mov\\suffix operands:vararg\n"
    "call jacquard_inline_access\n"
    "MOV\\suffix \\operands\n"
    ".endm\n"
    ".endr\n"
    ".irp name, mfence, lfence, sfence, rdtsc, rdtscp\n"
    ".macro \\name\n"
    "call jacquard_inline_\\name\n"
    ".endm\n"
    ".endr\n"
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
#define __builtin_ia32_mfence() __extension__({ __asm__ volatile("mfence" ::: "memory"); })
#define __builtin_ia32_lfence() __extension__({ __asm__ volatile("lfence" ::: "memory"); })
#define __builtin_ia32_sfence() __extension__({ __asm__ volatile("sfence" ::: "memory"); })
/* Known to the compiler by themselves. A declaration of them stays one. */
#if __has_builtin(__rdtsc)
#define __rdtsc(...) jacquard_rdtsc_of_##__VA_ARGS__()
#define jacquard_rdtsc_of_() __builtin_ia32_rdtsc()
#define jacquard_rdtsc_of_void() __rdtsc(void)
#endif
#define _mm_mfence(...) jacquard_mfence_of_##__VA_ARGS__()
#define jacquard_mfence_of_() __builtin_ia32_mfence()
#define jacquard_mfence_of_void() _mm_mfence(void)
#define _mm_lfence(...) jacquard_lfence_of_##__VA_ARGS__()
#define jacquard_lfence_of_() __builtin_ia32_lfence()
#define jacquard_lfence_of_void() _mm_lfence(void)
#define _mm_sfence(...) jacquard_sfence_of_##__VA_ARGS__()
#define jacquard_sfence_of_() __builtin_ia32_sfence()
#define jacquard_sfence_of_void() _mm_sfence(void)

#endif
