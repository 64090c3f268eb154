// Object bytes, whole and damaged, to callable code.
#include <llvm/IR/IRBuilder.h>

#include <thread>

#include "codegen/llvm/pipeline.h"
#include "ir/error.h"
#include "tests/codegen/llvm/support.h"

namespace kiln::codegen::tests {
namespace {

using ir::DType;
using ir::Op;
using ir::Value;

ir::KernelSource some_object() {
  ir::KernelBuilder b(ir::Target::cpu, DType::int64);
  const std::uint32_t x = b.buffer(DType::float32, "x", true),
                      y = b.buffer(DType::float32, "y", false);
  const ir::Value at = b.mul(b.begin_grid(), b.index(8));
  b.store(y, at, b.op(Op::exp, DType::float32, {b.load(x, at, 8)}));
  b.end();
  return llvm_object(b.finish(), host());
}

// A loop over elements: all accesses at its variable, or one of them a `step` further on.
ir::Kernel loop_kernel(DType dtype, Op op, std::int64_t step) {
  ir::KernelBuilder b(ir::Target::cpu, DType::int64);
  const std::uint32_t x = b.buffer(dtype, "x", true), y = b.buffer(dtype, "y", false);
  const Value begin = b.mul(b.begin_grid(), b.index(64));
  const Value i = b.begin_loop(begin, b.add(begin, b.index(64)), b.index(8));
  const Value from = step == 0 ? i : b.add(b.mul(i, b.index(step)), begin);
  b.store(y, i, b.op(op, dtype, {b.load(x, from, 8)}));
  b.end();
  b.end();
  return b.finish();
}

std::string link_error(std::span<const std::byte> object) {
  try {
    runtime::link(object);
    return {};
  } catch (const ir::InternalError& e) {
    return e.what();
  }
}

TEST(LlvmLink, MovesAndOutlivesItsBytes) {
  KILN_REQUIRE_HOST();
  runtime::LinkedObject kept;
  EXPECT_EQ(kept.entry(), nullptr);
  {
    ir::KernelSource source = some_object();
    EXPECT_EQ(source.name, kEntrySymbol);
    runtime::LinkedObject object = runtime::link(source.object);
    std::fill(source.object.begin(), source.object.end(), std::byte{0});
    kept = std::move(object);
  }
  Array x(DType::float32, 8), y(DType::float32, 8);
  for (int i = 0; i < 8; ++i) x.set(i, ir::bits_of(DType::float32, 0));
  ir::KernelArg args[2];
  args[0].pointer = x.data();
  args[1].pointer = y.data();
  kept.entry()(args, 0, 1);
  for (int i = 0; i < 8; ++i) EXPECT_EQ(y.bits(i), ir::bits_of(DType::float32, 1));
}

// Passes are kept from kernel to kernel.
TEST(LlvmObject, BytesDoNotDependOnKernelsBefore) {
  KILN_REQUIRE_HOST();
  std::vector<ir::Kernel> kernels;
  for (const std::int64_t step : {0, 3}) {
    kernels.push_back(loop_kernel(DType::float32, Op::neg, step));
    kernels.push_back(loop_kernel(DType::float64, Op::sin, step));  // constants, a cold function
    kernels.push_back(loop_kernel(DType::int8, Op::abs, step));
  }
  std::vector<std::vector<std::byte>> alone(kernels.size());
  for (std::size_t i = 0; i < kernels.size(); ++i) {
    std::thread([&, i] { alone[i] = llvm_object(kernels[i], host()).object; }).join();
  }
  for (std::size_t i = 0; i < kernels.size(); ++i) {
    for (std::size_t before = 0; before < kernels.size(); ++before) {
      llvm_object(kernels[before], host());
      EXPECT_EQ(llvm_object(kernels[i], host()).object, alone[i]) << i << " after " << before;
    }
  }
}

TEST(LlvmLink, ForeignBytesAreAnError) {
  KILN_REQUIRE_HOST();
  EXPECT_NE(link_error({}), "");
  const std::vector<std::byte> zeros(4096), text(100, std::byte{'a'});
  EXPECT_NE(link_error(zeros), "");
  EXPECT_NE(link_error(text), "");
}

TEST(LlvmLink, EveryTruncationIsAnError) {
  KILN_REQUIRE_HOST();
  const std::vector<std::byte> object = some_object().object;
  for (std::size_t size = 0; size < object.size(); size += 7) {
    EXPECT_NE(link_error(std::span(object).first(size)), "") << size;
  }
}

// Damage anywhere either goes unnoticed here (inside code and constants) or is an error.
TEST(LlvmLink, DamageNeverCrashes) {
  KILN_REQUIRE_HOST();
  const std::vector<std::byte> object = some_object().object;
  int errors = 0;
  for (std::size_t at = 0; at < object.size(); ++at) {
    for (const unsigned flip : {0x01u, 0x80u, 0xffu}) {
      std::vector<std::byte> damaged = object;
      damaged[at] ^= static_cast<std::byte>(flip);
      if (!link_error(damaged).empty()) ++errors;
    }
  }
  EXPECT_GT(errors, 100);
}

// The object of a module whose entry calls `callee(args, 0, 16)`.
std::vector<std::byte> caller_of(const char* callee) {
  llvm::LLVMContext context;
  llvm::Module module("caller", context);
  Generator& generator = Generator::of_thread(host());
  llvm::TargetMachine& machine = generator.machine();
  compat::set_triple(module, machine.getTargetTriple());
  module.setDataLayout(machine.createDataLayout());
  llvm::IRBuilder<> b(context);
  const auto function = [&](llvm::Type* result, llvm::ArrayRef<llvm::Type*> types,
                            const char* name) {
    return llvm::Function::Create(llvm::FunctionType::get(result, types, false),
                                  llvm::Function::ExternalLinkage, name, module);
  };
  llvm::Function* target =
      function(b.getPtrTy(), {b.getPtrTy(), b.getInt32Ty(), b.getInt64Ty()}, callee);
  llvm::Function* entry = function(b.getVoidTy(), {b.getPtrTy(), b.getInt64Ty(), b.getInt64Ty()},
                                   std::string(kEntrySymbol).c_str());
  entry->setDoesNotThrow();  // no unwind tables
  b.SetInsertPoint(llvm::BasicBlock::Create(context, "entry", entry));
  b.CreateCall(target, {entry->getArg(0), b.getInt32(0), b.getInt64(16)});
  b.CreateCall(target, {entry->getArg(0), b.getInt32(7), b.getInt64(8)});
  b.CreateRetVoid();
  const llvm::ArrayRef<char> bytes = generator.object(module, Loops::plain);
  const auto* first = reinterpret_cast<const std::byte*>(bytes.data());
  return {first, first + bytes.size()};
}

TEST(LlvmLink, CallsFunctionsOfTheList) {
  KILN_REQUIRE_HOST();
  const runtime::LinkedObject object = runtime::link(caller_of("memset"));
  ir::KernelArg words[3];
  for (ir::KernelArg& word : words) word.bits = ~std::uint64_t{0};
  object.entry()(words, 0, 1);
  EXPECT_EQ(words[0].bits, 0x0707070707070707u);
  EXPECT_EQ(words[1].bits, 0u);
  EXPECT_EQ(words[2].bits, ~std::uint64_t{0});
}

TEST(LlvmLink, NamesOtherFunctions) {
  KILN_REQUIRE_HOST();
  const std::string error = link_error(caller_of("elsewhere"));
  EXPECT_NE(error.find("refers to elsewhere"), std::string::npos) << error;
}

TEST(LlvmLink, NamesAMissingEntry) {
  KILN_REQUIRE_HOST();
  std::vector<std::byte> object = some_object().object;
  EXPECT_EQ(link_error(object), "");
  const std::string name(kEntrySymbol);
  bool renamed = false;
  for (std::size_t i = 0; i + name.size() <= object.size(); ++i) {
    if (std::memcmp(object.data() + i, name.data(), name.size()) != 0) continue;
    object[i] = std::byte{'K'};
    renamed = true;
  }
  ASSERT_TRUE(renamed);
  EXPECT_NE(link_error(object).find("defines no function kiln_kernel"), std::string::npos)
      << link_error(object);
}

}  // namespace
}  // namespace kiln::codegen::tests
