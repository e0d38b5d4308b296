#include "vm/interp/machine.hpp"
