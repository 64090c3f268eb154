// What a snapshot learns from values that are computed again, and what it stores because of it.
#include "frontend/snapshot_builder.h"

namespace kiln::inline v0::frontend {

bool computed_alone(const Node& node) {
  if (node.anywhere || node.ready() || has_several(node.kind)) return false;
  switch (role(node.kind)) {
    case ir::Role::map:
    case ir::Role::join:
    case ir::Role::fold:
    case ir::Role::call:
    case ir::Role::item:
      return true;
    case ir::Role::leaf:
    case ir::Role::view:
    case ir::Role::put:
    case ir::Role::region:
      return false;
  }
  return false;
}

void Builder::store_if_learnt(Node* node, Info& info) {
  if (info.output || !computed_alone(*node)) return;
  if (!node->held() && !info.held && !needed_outside(*node, info)) return;
  const Place place = place_of(*node);
  if (trace().places.stores(place)) store(node, info, place);
}

// A value that is computed again and that an operation needs which is new is where a history ends:
// what comes next grows out of it.
void Builder::learn() {
  fresh_places_.clear();
  for (std::size_t i = 0; i < order_.size(); ++i) {
    if (!infos_[i].again && computed_alone(*order_[i])) fresh_places_.at(place_of(*order_[i]));
  }
  for (std::size_t i = 0; i < order_.size(); ++i) {
    if (infos_[i].again || order_[i]->ready()) continue;
    for (std::uint32_t k = 0; k < order_[i]->operand_count; ++k) {
      Node* x = input(order_[i], k);
      while (infos_[x->id].again && role(x->kind) == ir::Role::view) x = input(x, 0);
      if (infos_[x->id].again && computed_alone(*x)) learn_from(x);
    }
  }
  for (std::size_t i = 0; i < order_.size(); ++i) {
    if (!infos_[i].again) store_if_learnt(order_[i], infos_[i]);
  }
}

// Its place learns if it comes again among what is new, as the state of a loop does, or if making
// the value once more is dear; such a value is stored now, for whoever asks for it the next time.
void Builder::learn_from(Node* again) {
  Info& info = infos_[again->id];
  if (info.taught) return;
  info.taught = true;
  const Place place = place_of(*again);
  const bool carried = !fresh_places_.at(place).second;
  if (!carried && (info.output || cheap(again))) return;
  trace().places.learn(place);
  if (!carried && (again->held() || info.held)) store(again, info, place);
}

}  // namespace kiln::inline v0::frontend
