// The attributes of jacquard_cc_binary are those of cc_binary.
#include "included.h"

int main() { return kFromAttributes; }
