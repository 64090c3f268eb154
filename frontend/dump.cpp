#include "frontend/dump.h"

namespace kiln::inline v0::frontend {
void dump_plan(const std::string&, const Snapshot&, const ir::Plan&, const passes::PassLog&) {}
}
