// SPDX-License-Identifier: MIT
// A metric's account on a device: commits, faults, and failing calls of the runtime.
#include <numeric>

#include "cuda/machine/launch.hpp"
#include "cuda/machine/ledger.hpp"
#include "cuda/sequential/machine.hpp"
#include "support/catch.hpp"
#include "support/support.hpp"

using namespace test;

namespace {

struct ledger_closer {
    void operator()(iqa::device_ledger *ledger) const { ledger->close(); }
};
using ledger_pointer = std::unique_ptr<iqa::device_ledger, ledger_closer>;

constexpr size_t lanes = 3000; // more than one block commits

ledger_pointer open(const context_pointer &context)
{
    return ledger_pointer(iqa::cuda::open_ledger(*context, 0, lanes, true));
}

// An update that adds 1, 2, 3, ... to the lanes, or has a fault.
void update(iqa::device_ledger &ledger, iqa::fault_kind kind = iqa::fault_kind::none)
{
    ledger.begin();
    auto &machine = sequential_machine::get();
    machine.enqueue([addend = ledger.addend(), report = ledger.report(), kind] {
        std::iota(addend, addend + lanes, 1);
        report->kind = kind;
        report->image = 17;
    });
    ledger.commit();
    ledger.end(true);
}

} // namespace

TEST_CASE("Commits add, faults do not, and the first fault is handed out once")
{
    auto &machine = sequential_machine::get();
    machine.reset();
    machine.order = GENERATE(thread_order::forward, thread_order::backward, thread_order::shuffled);
    const context_pointer context = make_context();
    const ledger_pointer ledger = open(context);
    update(*ledger);
    update(*ledger, iqa::fault_kind::masked);
    update(*ledger, iqa::fault_kind::nonfinite);
    update(*ledger);
    std::optional<iqa::settlement> found = ledger->settle();
    REQUIRE(found.has_value());
    CHECK(found->first.kind == iqa::fault_kind::masked);
    CHECK(found->first.update == 2);
    CHECK(found->first.image == 17);
    REQUIRE(found->addend.size() == lanes);
    CHECK(found->addend[0] == 2);
    CHECK(found->addend[lanes - 1] == 2 * int64_t(lanes));
    CHECK_FALSE(ledger->settle().has_value());
    update(*ledger);
    ledger->discard();
    CHECK_FALSE(ledger->settle().has_value());
    update(*ledger);
    found = ledger->settle();
    REQUIRE(found.has_value());
    CHECK(found->first.kind == iqa::fault_kind::none);
    CHECK(found->addend[0] == 1);
}

TEST_CASE("An update that cannot begin leaves the caller's device current")
{
    auto &machine = sequential_machine::get();
    machine.reset();
    machine.devices = 2;
    machine.current = 1;
    const context_pointer context = make_context();
    const ledger_pointer ledger = open(context); // of device 0
    ledger->begin();
    ledger->end(false); // so that the next update must clear
    CHECK(machine.current == 1);
    machine.fail_call = machine.counts.calls + 3; // after asking for the device and setting it
    CHECK_THROWS(ledger->begin());
    CHECK(machine.counts.calls >= machine.fail_call);
    CHECK(machine.current == 1);
    machine.fail_call = 0;
    update(*ledger);
    CHECK(machine.current == 1);
}
