// ./bazelw run //stress:vma_lock_stress -- --seconds 60 --threads 8
#include "stress/vma_lock_torture.h"

JACQUARD_FUZZ_TARGET(jacquard::VmaLockTorture)
