#include "bench/corpus/rows.h"

#include <algorithm>
#include <random>
#include <thread>

namespace corpus {

namespace {

using kn::_;
using kn::Array;
using kn::newaxis;
using kn::slice;

// A state that is its own history, until it changes no more. It never does within these steps.
Values until_still(const Run& run) {
  Array x = kn::full({run.n, run.n}, 1.5f);
  float change = 1;
  for (int step = 0; change > 0 && step < run.steps; ++step) {
    Array next = 0.5f * (x + 3.f / x) + 0.01f * kn::cos(x * static_cast<float>(step % 2));
    Array moved = kn::max(kn::abs(next - x));
    x = next;
    run.keep(x, moved);
    change = moved.item<float>() + 1e-9f;
  }
  return values(x);
}

// A state that is updated and watched, by its sum, an element, or a part.
Values watched(const Run& run, Array (*watch)(const Array&)) {
  Array level = kn::zeros({run.n});
  float seen = 0;
  for (int step = 0; step < run.steps; ++step) {
    level += 2;
    run.keep(level);
    seen += watch(level).item<float>();
  }
  return {seen};
}

Values watched_sum(const Run& run) {
  return watched(run, [](const Array& level) { return kn::sum(level); });
}

Values watched_element(const Run& run) {
  return watched(run, [](const Array& level) { return level(0); });
}

Values watched_part(const Run& run) {
  return watched(run, [](const Array& level) { return kn::max(level(slice(5, 50))); });
}

// One state is watched; the other is asked for at the end only.
Values lagging(const Run& run) {
  Array force = kn::linspace(1, 0.5, run.n), way = kn::zeros_like(force), push = force;
  for (int step = 0; step < run.steps; ++step) {
    way += 0.02f * push;
    force -= 0.005f * push;
    push = force + 0.4f * push;
    run.keep(way, force, push);
    if (kn::sum(force * force).item<float>() < 1e-20f) break;
  }
  return values(kn::sum(way));
}

// Nothing is watched before the end.
Values unwatched(const Run& run) {
  Array force = kn::linspace(1, 0.5, run.n), way = kn::zeros_like(force), push = force;
  for (int step = 0; step < run.steps; ++step) {
    way += 0.02f * push;
    force -= 0.005f * push / (1 + kn::sum(push * push));
    push = force + 0.4f * push;
    run.keep(way, force, push);
  }
  return values(kn::sum(way));
}

// A coin directs the walk, another one in each call.
Values coins(const Run& run) {
  static std::mt19937 coin(3);
  Array x = kn::linspace(0.2, 0.9, run.n);
  double seen = 0;
  for (int step = 0; step < run.steps; ++step) {
    x = coin() % 2 == 0 ? 0.8f * x + 0.15f * x * x : kn::cos(x) - 0.25f;
    run.keep(x);
    if (step % 12 == 0) seen += kn::min(x).item<double>();
  }
  return {seen};
}

// Expressions that nobody has seen before.
Array invented(const Array& x, const Array& y, int depth, std::mt19937* draw) {
  const auto kind = depth == 0 ? 7 + (*draw)() % 2 : (*draw)() % 7;
  if (kind > 6) return kind == 7 ? x : y;
  Array a = invented(x, y, depth - 1, draw);
  if (kind == 0) return kn::cos(a);
  if (kind == 1) return kn::tanh(a);
  if (kind == 2) return kn::sqrt(1 + a * a);
  Array b = invented(x, y, depth - 1, draw);
  if (kind == 3) return a + b;
  if (kind == 4) return a * b;
  return kind == 5 ? a - b : kn::minimum(a, b);
}

Values novel(const Run& run) {
  static std::mt19937 draw(11);
  Array x = kn::linspace(0, 2, run.n), y = kn::linspace(3, 1, run.n), goal = kn::cos(x) + y;
  kn::eval(x, y, goal);
  double best = 1e30;
  for (int i = 0; i < run.steps; ++i) {
    Array error = invented(x, y, 5, &draw) - goal;
    best = std::min(best, kn::mean(error * error).item<double>());
  }
  return {best};
}

// Eight values, each a function of the one before, all of them held, and asked about again and
// again.
Values held_chain(const Run& run) {
  std::vector<Array> held = {kn::linspace(0, 1, run.n)};
  for (int i = 0; i < 8; ++i) held.push_back(kn::sin(held.back()) + kn::exp(-held.back()));
  double sum = 0;
  for (int i = 0; i < run.steps; ++i)
    sum += kn::max(held[1 + i % 8] * static_cast<float>(i)).item<double>();
  return {sum};
}

// A counter that meets the constants of the expression now and then.
Values scalars_meet(const Run& run) {
  Array r = Array(noise(run.n, 90));
  for (int i = 1; i < run.steps; ++i) {
    r = r * static_cast<float>(i) + 3.f * kn::abs(r) - 7.f / (r + 11.f);
    kn::eval(r);
  }
  return {};
}

// Many paths of a price by a hash: long enough for what is pending to be evaluated on the way.
Values priced(const Run& run) {
  Array path = kn::arange(run.n, kn::uint32), level = kn::zeros({run.n}), total = level;
  for (int step = 1; step <= run.steps; ++step) {
    Array h = path * 0x9e3779b1u + static_cast<unsigned>(step);
    for (const int shift : {15, 13, 16}) h = (h ^ (h >> shift)) * 0x85ebca77u;
    level += 0.02f * ((h >> 9).astype(kn::float32) * (1.f / 8388608.f) - 0.5f);
    total += kn::exp(level);
  }
  return {kn::mean(total).item<double>()};
}

Values priced_by_two(const Run& run) {
  Values results(2);
  std::thread other([&] { results[1] = priced(run)[0]; });
  results[0] = priced(run)[0];
  other.join();
  return results;
}

// An element written at a time.
Values element_writes(const Run& run) {
  Array y = kn::zeros({100000});
  for (int i = 0; i < run.n; ++i) y.at(i) = static_cast<float>(i);
  return values(kn::sum(y));
}

// Many arrays with values.
std::vector<Array> many(std::int64_t count, std::int64_t size) {
  std::vector<Array> list;
  for (std::int64_t i = 0; i < count; ++i)
    list.push_back(Array(noise(size, static_cast<unsigned>(i))));
  return list;
}

Values stacked(const Run& run) {
  std::vector<Array> losses;
  for (std::int64_t i = 0; i < run.n; ++i) losses.push_back(Array(static_cast<float>(i)));
  return values(kn::stack(losses));
}

Values concatenated(const Run& run) { return values(kn::sum(kn::concat(many(run.n, 7)))); }

// Compare and exchange, as a sorting network does it.
Array exchanged(const Array& x, std::int64_t block, std::int64_t distance) {
  const std::int64_t pairs = x.size() / (2 * distance);
  Array both = x.reshape({pairs, 2, distance}), a = both(_, 0), b = both(_, 1);
  Array rising = (kn::floor_divide(kn::arange(pairs) * (2 * distance), block) % 2 == 0)(_, newaxis);
  Array low = kn::minimum(a, b), high = kn::maximum(a, b);
  return kn::stack({kn::where(rising, low, high), kn::where(rising, high, low)}, 1)
      .reshape({x.size()});
}

Values three_stages(const Run& run) {
  Array x = kn::cos(kn::arange(run.n).astype(kn::float32) * 4321.f);
  kn::eval(x);
  x = exchanged(exchanged(exchanged(x, 8, 4), 8, 2), 8, 1);
  kn::eval(x);
  return {};
}

Values bitonic_sort(const Run& run) {
  Array x = kn::cos(kn::arange(run.n).astype(kn::float32) * 4321.f);
  for (std::int64_t block = 2; block <= run.n; block *= 2) {
    for (std::int64_t distance = block / 2; distance > 0; distance /= 2)
      x = exchanged(x, block, distance);
  }
  return values(kn::all(x(slice(1, _)) >= x(slice(_, -1))));
}

// A pendulum, asked about at the end.
Values pendulum(const Run& run) {
  Array angle = kn::linspace(0.1, 1.2, run.n), speed = kn::zeros_like(angle);
  for (int step = 0; step < run.steps; ++step) {
    speed = 0.995f * speed - 0.02f * kn::sin(angle);
    angle = angle + 0.02f * speed;
    run.keep(angle, speed);
  }
  return values(angle);
}

// Row after row, each from the one before it.
Values rows_from_rows(const Run& run) {
  Array table = kn::zeros({run.n, 63});
  table.at(0) = 0.5f;
  for (std::int64_t i = 1; i < run.n; ++i) {
    table.at(i) = 1 / (1.5f + table(i - 1));
    run.keep(table);
  }
  return values(kn::sum(table));
}

// Column after column, each from all before it.
Values columns_from_columns(const Run& run) {
  Array q = kn::zeros({101, run.n}), start = kn::linspace(1, 2, 101);
  for (std::int64_t j = 0; j < run.n; ++j) {
    Array v = start + static_cast<float>(j);
    for (std::int64_t i = 0; i < j; ++i) v = v - kn::sum(q(_, i) * v) * q(_, i);
    q.at(_, j) = v / kn::sqrt(kn::sum(v * v) + 1);
    run.keep(q);
  }
  return values(kn::sum(q));
}

// Rows of 16 KB into an array of 16 MB that nobody else holds.
Values rows_into_large(const Run& run) {
  static Array large = kn::zeros({run.n, 4096});
  static const Array row = kn::ones({4096});
  for (int i = 0; i < run.steps; ++i) {
    large.at(i) = row;
    kn::eval(large);
  }
  return {};
}

// Chains and trees of one kind of operation.
template <class Step>
Values chain(const Run& run, Step step) {
  Array x = kn::linspace(0, 1, run.n).reshape({run.n / 10, 10});
  for (int i = 0; i < run.steps; ++i) x = step(x, i);
  return values(kn::sum(x));
}

Values concats(const Run& run) {
  return chain(run, [](const Array& x, int) {
    return kn::concat({x(slice(3, _)) * 2, x(slice(_, 3)) + 1});
  });
}

Values pads(const Run& run) {
  return chain(run, [](const Array& x, int) {
    return kn::pad(x, {{1, 1}, {0, 0}})(slice(_, -2)) + 0.5f * x;
  });
}

Values rolls(const Run& run) {
  return chain(run,
               [](const Array& x, int i) { return kn::roll(x, i, 0) + 0.5f * kn::roll(x, 1, 1); });
}

Values writes(const Run& run) {
  return chain(run, [](Array x, int i) {
    x.at(slice(i, _, 3)) *= 1.5f;
    return x;
  });
}

Values stacks(const Run& run) {
  return chain(run, [](const Array& x, int) {
    Array half = x.reshape({-1, 2, 10});
    return kn::stack({half(_, 1), half(_, 0) + 1}, 1).reshape(x.shape());
  });
}

Values tree_of_where(const Run& run) {
  Array x = kn::linspace(-1, 1, run.n), y = x;
  std::vector<Array> level;
  for (int i = 0; i < run.steps; ++i) level.push_back(x * static_cast<float>(i));
  for (; level.size() > 1; level.resize((level.size() + 1) / 2)) {
    for (Index i = 0; 2 * i + 1 < level.size(); ++i) {
      level[i] = kn::where(level[2 * i] > x * 3, level[2 * i + 1], level[2 * i]);
    }
    if (level.size() % 2 == 1) level[level.size() / 2] = level.back();
  }
  return values(kn::sum(level[0]));
}

Values horner(const Run& run) {
  Array x = kn::linspace(-1, 1, run.n), y = kn::zeros_like(x);
  for (int i = 0; i < run.steps; ++i) y = y * x + 1 / static_cast<float>(i + 1);
  return values(kn::sum(y));
}

Values powers(const Run& run) {
  Array x = kn::linspace(-1, 1, run.n), y = kn::zeros_like(x), power = kn::ones_like(x);
  for (int i = 0; i < run.steps; ++i) {
    y += power / static_cast<float>(i + 1);
    power *= x;
  }
  return values(kn::sum(y));
}

Values wide_sum(const Run& run) {
  const std::vector<Array> list = many(run.steps, run.n);
  Array total = list[0];
  for (Index i = 1; i < list.size(); ++i) total = total + list[i];
  return values(kn::sum(total));
}

// What a chain or tree must reach, whatever is in it.
Row within_promise(const char* name, const char* what, Values (*natural)(const Run&),
                   const Run& run) {
  return {name,
          what,
          {.natural = natural, .run = run, .yardstick = Yardstick::eager},
          {{Figure::warm_over_yardstick, 2}, {Figure::cold_beyond, 2}}};
}

std::vector<Row> watched_loops() {
  const std::vector<Demand> demands = {{Figure::warm_over_yardstick, 1.3},
                                       {Figure::cold_over_yardstick, 1.3},
                                       {Figure::compiled, 4}};
  return {
      {"until_still",
       "a state until it changes no more",
       {.natural = until_still, .run = {63, 200}},
       demands},
      {"watched_sum",
       "r += 2, its sum read",
       {.natural = watched_sum, .run = {65537, 400}},
       demands},
      {"watched_element",
       "r += 2, an element read",
       {.natural = watched_element, .run = {65537, 400}},
       demands},
      {"watched_part",
       "r += 2, the largest of a slice read",
       {.natural = watched_part, .run = {65537, 400}},
       demands},
  };
}

std::vector<Row> loops_read_late() {
  return {
      {"lagging",
       "one state watched, one read at the end",
       {.natural = lagging, .run = {20001, 600}},
       {{Figure::warm_over_yardstick, 1.2},
        {Figure::cold_over_yardstick, 1.2},
        {Figure::peak_over_yardstick, 2}}},
      {"unwatched",
       "the same, nothing watched",
       {.natural = unwatched, .run = {20001, 600}},
       {{Figure::warm_over_yardstick, 1.2},
        {Figure::cold_over_yardstick, 1.2},
        {Figure::peak_over_yardstick, 2}}},
      {"coins",
       "a branch by a coin, another one each time",
       {.natural = coins, .run = {4097, 600}, .varied = true},
       {{Figure::warm_over_yardstick, 2}, {Figure::cold_beyond, 2}}},
      {"pendulum",
       "500 steps read at the end",
       {.natural = pendulum, .run = {65, 500}},
       {{Figure::cold, 0.3}, {Figure::compiled, 3}, {Figure::built_second, 0}}},
      {"scalars_meet",
       "a counter meets a constant",
       {.natural = scalars_meet, .run = {1001, 40}},
       {{Figure::built, 1}}},
      {"priced",
       "a function called again and again",
       {.natural = priced, .run = {100001, 100}},
       {{Figure::compiled_second, 0}}},
      {"priced_by_two",
       "the same by two threads",
       {.natural = priced_by_two, .run = {100001, 100}},
       {{Figure::compiled_third, 0}}},
  };
}

std::vector<Row> new_expressions() {
  const std::vector<Demand> demands = {{Figure::warm_over_yardstick, 2}, {Figure::cold_beyond, 2}};
  return {
      {"novel",
       "300 expressions of 10,000",
       {.natural = novel, .run = {10001, 300}, .yardstick = Yardstick::eager, .varied = true},
       demands},
      {"novel_large",
       "60 expressions of a million",
       {.natural = novel, .run = {1000001, 60}, .yardstick = Yardstick::eager, .varied = true},
       demands},
      {"held_chain",
       "eight held values, forty maxima",
       {.natural = held_chain, .run = {100001, 40}, .yardstick = Yardstick::eager},
       {{Figure::warm_over_yardstick, 1.2}, {Figure::cold_beyond, 2}}},
  };
}

std::vector<Row> windows() {
  return {
      {"element_writes",
       "y.at(i) = i for 2000 i",
       {.natural = element_writes, .run = {2000, 2000}, .grows = true},
       {{Figure::each, 20}, {Figure::growth, 5}, {Figure::built_third, 0}}},
      {"rows_from_rows",
       "1000 rows, each from the one before",
       {.natural = rows_from_rows, .run = {1000, 1000}, .grows = true},
       {{Figure::warm, 0.1}, {Figure::growth, 5}}},
      {"columns_from_columns",
       "24 columns, each from all before",
       {.natural = columns_from_columns, .run = {24, 0}},
       {{Figure::warm_over_yardstick, 1.3}, {Figure::cold, 1}}},
      {"rows_into_large",
       "rows of 16 KB into 16 MB",
       {.natural = rows_into_large, .run = {1000, 1000}},
       {{Figure::each, 20}}},
      {"stack_1000",
       "stack of 1000 scalars",
       {.natural = stacked, .run = {1000, 0}},
       {{Figure::cold, 0.1}}},
      {"concat_800",
       "concat of 800 small arrays",
       {.natural = concatenated, .run = {800, 0}},
       {{Figure::cold, 0.1}}},
      {"three_stages",
       "of a sorting network on 4096",
       {.natural = three_stages, .run = {4096, 0}, .yardstick = Yardstick::unfused},
       {{Figure::warm_over_yardstick, 1}}},
      {"bitonic_sort",
       "a whole one of 65,536",
       {.natural = bitonic_sort, .run = {65536, 0}, .yardstick = Yardstick::unfused},
       {{Figure::warm_over_yardstick, 1}, {Figure::cold, 1}}},
  };
}

std::vector<Row> deep_and_wide() {
  return {within_promise("concats", "50 concats into each other", concats, {10010, 50}),
          within_promise("pads", "50 pads", pads, {10010, 50}),
          within_promise("rolls", "50 rolls", rolls, {10010, 50}),
          within_promise("writes", "50 strided writes", writes, {10010, 50}),
          within_promise("stacks", "50 stacks", stacks, {10020, 50}),
          within_promise("tree_of_where", "200 where", tree_of_where, {10001, 201}),
          within_promise("horner", "degree 500", horner, {10001, 500}),
          within_promise("powers", "degree 500, powers kept", powers, {10001, 500}),
          within_promise("wide_sum", "1000 inputs in one sum", wide_sum, {101, 1000})};
}

}  // namespace

std::vector<Row> rows() {
  std::vector<Row> all;
  for (const auto& part :
       {watched_loops(), loops_read_late(), new_expressions(), windows(), deep_and_wide()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

}  // namespace corpus
