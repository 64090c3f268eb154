// Hints about fusion: kept, checked, part of a plan's key, and never visible in the bits.
#include "tests/frontend/support.h"

namespace {

using namespace kiln_tests;

kn::Array data(const kn::Shape& shape) {
  const kn::Array x = kn::reshape(kn::arange(shape.size(), kn::float32), shape) / 77.f;
  kn::eval(x);
  return x;
}

std::int64_t launches(const kn::Array& x) {
  const kn::Stats before = kn::stats();
  kn::eval(x);
  return (kn::stats() - before).launched;
}

TEST(Hints, NoFuseCutsAChain) {
  const kn::Scope scope({.device = kn::cpu()});
  const kn::Array x = data({1000});
  const kn::Array whole = kn::exp(x + 1.f) * 2.f;
  EXPECT_EQ(launches(whole), 1);
  const kn::Array y = kn::exp(kn::no_fuse(x + 1.f)) * 2.f;
  expect_contains(kn::explain(y).text(), "no_fuse asks for it");
  EXPECT_EQ(launches(y), 2);
  EXPECT_EQ(values<float>(y), values<float>(whole));
}

TEST(Hints, NoFuseHoldsForReductionsAndTheirConsumers) {
  const kn::Scope scope({.device = kn::cpu()});
  const kn::Array x = data({20, 30});
  const kn::Array m = kn::max(x, {1}, kn::keepdims), e = kn::exp(x - m);
  EXPECT_EQ(launches(e / kn::sum(e, 1, kn::keepdims)), 1);
  const kn::Array n = kn::no_fuse(kn::max(x, {1}, kn::keepdims)), f = kn::exp(x - n);
  EXPECT_EQ(launches(f / kn::sum(f, 1, kn::keepdims)), 2);
}

TEST(Hints, AHintIsPartOfAPlansKey) {
  const kn::Scope scope({.device = kn::cpu()});
  const kn::Array x = data({1000});
  const auto run = [&](bool cut) {
    const kn::Array t = kn::sqrt(x + 3.f);
    return launches((cut ? kn::no_fuse(t) : t) * 5.f);
  };
  EXPECT_EQ(run(false), 1);
  EXPECT_EQ(run(true), 2);
  const kn::Stats before = kn::stats();
  EXPECT_EQ(run(false), 1);
  EXPECT_EQ(run(true), 2);
  EXPECT_EQ((kn::stats() - before).plans_built, 0);
}

TEST(Hints, MaterializeStoresWhatALaterEvaluationUses) {
  const kn::Scope scope({.device = kn::cpu()});
  const kn::Array x = data({1000});
  const kn::Array t = kn::materialize(x + 1.f);
  const kn::Array a = t * 2.f, b = t * 3.f;
  EXPECT_EQ(launches(a), 1);
  EXPECT_TRUE(t.evaluated());
  const kn::Stats before = kn::stats();
  kn::eval(b);
  EXPECT_EQ((kn::stats() - before).recomputed, 0);
  EXPECT_EQ(values<float>(b)[77], 6.f);
  EXPECT_EQ(values<float>(kn::materialize(x)),
            values<float>(x));  // has a value: nothing to ask for
}

TEST(Hints, MustFuseKeepsWhatThePriceWouldStore) {
  const kn::Scope scope({.device = kn::cpu()});
  const kn::Array x = data({300, 400});
  const auto program = [&](bool together) {
    kn::Array y = x;
    for (int i = 0; i < 6; ++i) y = kn::exp(kn::sin(y));
    if (together) y = kn::must_fuse(y);
    return y(kn::slice(1, kn::_)) + y(kn::slice(kn::_, -1)) * 2.f;
  };
  std::vector<float> stored;
  {
    const kn::Array apart = program(false);
    EXPECT_EQ(launches(apart), 2);
    stored = values<float>(apart);
  }
  const kn::Array one = program(true);  // equal operations that are pending at once are one
  EXPECT_EQ(launches(one), 1);
  EXPECT_EQ(values<float>(one), stored);
}

TEST(Hints, MustFuseThatCannotBeKeptNamesBothLines) {
  const kn::Scope scope({.device = kn::cpu()});
  const kn::Array x = data({30, 30});
  const kn::Array column = kn::must_fuse(kn::sum(x, 0));
  const int made = __LINE__ - 1;
  const kn::Array y = kn::sum(x * column, 1) * kn::sum(column);
  const int used = __LINE__ - 1;
  for (const bool explained : {true, false}) {
    const std::string message =
        message_of([&] { return explained ? static_cast<void>(kn::explain(y)) : kn::eval(y); });
    expect_contains(message, "must_fuse: ");
    expect_contains(message, "cannot be computed in the kernel of");
    expect_contains(message, "hints_tests.cpp:" + std::to_string(made));
    expect_contains(message, "hints_tests.cpp:" + std::to_string(used));
  }
  EXPECT_FALSE(y.evaluated());
  const kn::Scope unfused({.fusion = false});
  EXPECT_EQ(y.to_vector<float>().size(), 30u);
}

TEST(Hints, MustFuseOfAProductsOperandSaysWhy) {
  const kn::Scope scope({.device = kn::cpu()});
  const kn::Array x = data({30, 30});
  const kn::Array product = kn::matmul(kn::must_fuse(x + 1.f), x);
  expect_contains(message_of([&] { kn::eval(product); }), "a matrix product is a library's");
}

// Every way of looking at a value, and what is done to it then.
struct Look {
  const char* name;
  kn::Array (*view)(const kn::Array&);
};
constexpr Look kLooks[] = {
    {"reshape", [](const kn::Array& x) { return x.reshape({50, 20}); }},
    {"two reshapes", [](const kn::Array& x) { return x.reshape({1000}).reshape({10, 100}); }},
    {"transpose", [](const kn::Array& x) { return x.T(); }},
    {"transpose and back", [](const kn::Array& x) { return kn::transpose(x.T()); }},
    {"slice", [](const kn::Array& x) { return x(kn::slice(1, kn::_)); }},
    {"flip", [](const kn::Array& x) { return kn::flip(x, 0); }},
    {"broadcast", [](const kn::Array& x) { return kn::broadcast_to(x, {3, 25, 40}); }},
    {"another axis", [](const kn::Array& x) { return kn::expand_dims(x, 1); }},
    {"pad", [](const kn::Array& x) { return kn::pad(x, {{1, 1}, {0, 2}}); }},
    {"join", [](const kn::Array& x) { return kn::concat({x, x}, 1); }},
    {"roll", [](const kn::Array& x) { return kn::roll(x, 3, 0); }},
    {"its own dtype", [](const kn::Array& x) { return x.astype(kn::float32); }},
    {"the negative", [](const kn::Array& x) { return -x; }},
    {"itself", [](const kn::Array& x) { return x; }},
};

TEST(Hints, HoldBehindEveryView) {
  if (interpreting()) GTEST_SKIP() << "the interpreter launches nothing";
  const kn::Array x = data({25, 40});
  for (const Look& look : kLooks) {
    SCOPED_TRACE(look.name);
    // By operations of which a rule undoes the last, where it meets its like.
    const auto made = [&](float by) { return -(x * by); };
    const kn::Array cut = look.view(kn::no_fuse(made(3.f))) + 1.f;
    EXPECT_EQ(launches(cut), 2);
    EXPECT_EQ(values<float>(cut), values<float>(look.view(made(3.f)) + 1.f));
    const kn::Array one = kn::exp(look.view(kn::must_fuse(made(5.f))));
    EXPECT_EQ(launches(one), 1);
    const kn::Array kept = kn::materialize(made(7.f));
    const kn::Array y = look.view(kept) + 1.f;
    kn::eval(y);
    EXPECT_TRUE(kept.evaluated());
    const kn::Array both = kn::no_fuse(made(9.f));  // asked for itself too
    const kn::Array z = look.view(both) * 2.f;
    const kn::Stats before = kn::stats();
    kn::eval({both, z});
    EXPECT_EQ((kn::stats() - before).launched, 2);
    EXPECT_EQ(values<float>(both), values<float>(made(9.f)));
  }
}

// A view that is itself the value asked for.
TEST(Hints, HoldOfViews) {
  if (interpreting()) GTEST_SKIP() << "the interpreter launches nothing";
  const kn::Array x = data({25, 40});
  for (const Look& look : kLooks) {
    SCOPED_TRACE(look.name);
    if (std::string_view(look.name) == "the negative") continue;
    const kn::Array cut = kn::no_fuse(look.view(kn::sin(x) * 2.f)) + 1.f;
    EXPECT_EQ(launches(cut), 2);
  }
  const kn::Array filled = kn::no_fuse(kn::full({1000}, 2.f)) + 1.f;
  EXPECT_EQ(launches(filled), 2);
}

// A product reads a view of what must not be stored.
TEST(Hints, MustFuseBehindAViewIsRefused) {
  const kn::Scope scope({.device = kn::cpu()});
  const kn::Array x = data({30, 30});
  const kn::Array product = kn::matmul(kn::must_fuse(x + 1.f).reshape({15, 60}), data({60, 5}));
  expect_contains(message_of([&] { kn::eval(product); }), "must_fuse: ");
}

TEST(Hints, BothOfOneValueAreRefused) {
  const kn::Array x = kn::no_fuse(data({3}) + 1.f);
  expect_contains(message_of([&] { return kn::must_fuse(x); }), "both no_fuse and must_fuse");
}

}  // namespace
