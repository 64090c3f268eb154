#include "kiln/inspect.h"
