// SPDX-License-Identifier: MIT
// The file is past 400 lines: its one class turns the statements of a function into instructions, in one pass.
#include "cuda/ptx/program.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <regex>

namespace test::ptx {

namespace {

const operation_table &operations()
{
    static const operation_table table = [] {
        operation_table defined;
        define_arithmetic(defined);
        define_conversions(defined);
        define_warp_operations(defined);
        define_memory_operations(defined);
        return defined;
    }();
    return table;
}

size_t rounded_up(size_t bytes, size_t step)
{
    return (bytes + step - 1) / step * step;
}

// A declared register, or `count` registers name0, name1 ...
struct registers {
    uint32_t offset;
    uint8_t size;
    size_t count;
};

constexpr uint32_t is_literal = 0x80000000u; // the offset counts from the first literal

class maker {
public:
    maker(library &functions, const function_source &source) : functions_(functions), source_(source)
    {
        made_.name = source.name;
        names_.emplace_back();
        for (const auto &[name, offset, size] : {std::tuple{"%tid.x", special::tid, 4},
                                                 {"%ntid.x", special::ntid, 4},
                                                 {"%ctaid.x", special::ctaid, 4},
                                                 {"%nctaid.x", special::nctaid, 4},
                                                 {"%laneid", special::lane, 4}})
            names_.back()[name] = {offset, uint8_t(size), 0};
    }

    void make(program &made)
    {
        place_shared();
        take_head();
        for (const statement &each : source_.body)
            take(each);
        for (instruction &each : made_.code) {
            if (each.kind == flow::branch)
                each.target = target_of(each);
            for (int i = 0; i < each.operands; ++i)
                if (each.offset[size_t(i)] & is_literal)
                    each.offset[size_t(i)] = uint32_t(registers_end_) + (each.offset[size_t(i)] & ~is_literal);
        }
        for (const call &each : made_.calls)
            made_.local_bytes = std::max(made_.local_bytes, each.callee->local_bytes);
        made_.local_bytes += made_.own_local_bytes;
        made_.literals_at = registers_end_;
        made_.frame_bytes = registers_end_ + made_.literals.size();
        made = std::move(made_);
    }

private:
    [[noreturn]] void refuse(const statement &from, const std::string &why) const
    {
        throw fault(source_.name + ", line " + std::to_string(from.line) + ": " + why + ": " + from.text);
    }

    // The static variables of the file, each aligned, then the dynamic memory.
    void place_shared()
    {
        size_t end = 0;
        for (const auto &[name, variable] : functions_.source().shared) {
            const bool used = std::any_of(source_.body.begin(), source_.body.end(), [&](const statement &each) {
                return each.text.find(name) != std::string::npos;
            });
            if (used && !source_.is_kernel)
                throw fault(source_.name + " has shared memory, and is no kernel");
            if (!used || variable.bytes == 0)
                continue;
            end = rounded_up(end, variable.alignment);
            shared_[name] = end;
            end += variable.bytes;
        }
        made_.static_shared_bytes = rounded_up(end, 16);
        for (const auto &[name, variable] : functions_.source().shared)
            if (variable.bytes == 0)
                shared_[name] = made_.static_shared_bytes;
    }

    void take_head()
    {
        static const std::regex param(R"(\.param (?:\.align \d+ )?\.b(\d+) ([\w$]+)(?:\[(\d+)\])?)");
        static const std::regex limit(R"(\.maxntid (\d+))");
        const std::string &head = source_.head;
        for (std::sregex_iterator i(head.begin(), head.end(), param), end; i != end; ++i) {
            const size_t bytes = std::stoul((*i)[1]) / 8 * ((*i)[3].matched ? std::stoul((*i)[3]) : 1);
            if (source_.is_kernel) {
                kernel_params_[(*i)[2]] = made_.param_bytes; // kernels have one
                made_.param_bytes += bytes;
                continue;
            }
            const registers &made = declare((*i)[2], uint8_t(bytes), 0);
            const bool is_result = (*i)[2].str().rfind("func_retval", 0) == 0;
            (is_result ? made_.results : made_.parameters).push_back({made.size, made.offset});
        }
        std::smatch parts;
        if (std::regex_search(head, parts, limit))
            made_.most_threads = std::stoi(parts[1]);
    }

    const registers &declare(const std::string &name, uint8_t size, size_t count)
    {
        const size_t each = size == 0 ? 4 : rounded_up(size_t(size) * lanes, 64);
        registers &made = names_.back()[name] = {uint32_t(registers_end_), size, count};
        registers_end_ = rounded_up(registers_end_ + each * std::max<size_t>(count, 1), 64);
        return made;
    }

    void take(const statement &each)
    {
        const std::string &text = each.text;
        if (text == "{")
            names_.emplace_back();
        else if (text == "}")
            names_.pop_back();
        else if (text.back() == ':')
            labels_[text.substr(0, text.size() - 1)] = int(made_.code.size());
        else if (text.front() == '.')
            take_directive(each);
        else
            take_instruction(each);
    }

    void take_directive(const statement &each)
    {
        static const std::regex reg(R"(\.(?:reg|param) \.([a-z]+)(\d*) (.+))");
        static const std::regex local(R"(\.local \.align \d+ \.b8 ([\w$]+)\[(\d+)\])");
        std::smatch parts;
        if (std::regex_match(each.text, parts, local)) {
            local_ = parts[1];
            made_.own_local_bytes = rounded_up(std::stoul(parts[2]), 16);
        } else if (std::regex_match(each.text, parts, reg)) {
            const uint8_t size = parts[2].length() == 0 ? uint8_t(0) : uint8_t(std::stoi(parts[2]) / 8);
            for (const std::string &name : split(parts[3].str(), ',')) {
                const size_t bracket = name.find('<');
                const size_t count = bracket == std::string::npos ? 0 : std::stoul(name.substr(bracket + 1));
                declare(name.substr(0, bracket), size, count);
            }
        } else if (each.text.rfind(".pragma", 0) != 0 && each.text.rfind(".shared", 0) != 0) {
            refuse(each, "a directive that the machine does not know");
        }
    }

    std::optional<registers> find(const std::string &name) const
    {
        const size_t digits = name.find_last_not_of("0123456789") + 1;
        for (auto scope = names_.rbegin(); scope != names_.rend(); ++scope) {
            if (const auto found = scope->find(name); found != scope->end())
                return found->second;
            const auto range = scope->find(name.substr(0, digits));
            if (digits == name.size() || range == scope->end())
                continue;
            const size_t index = std::stoul(name.substr(digits));
            const uint32_t step = range->second.size == 0 ? 4 : range->second.size * uint32_t(lanes);
            if (index < range->second.count)
                return registers{range->second.offset + uint32_t(index) * step, range->second.size, 0};
        }
        return std::nullopt;
    }

    // A number in PTX notation, or a variable's address.
    std::optional<uint64_t> value_of(const std::string &text) const
    {
        if (const auto found = shared_.find(text); found != shared_.end())
            return found->second;
        if (const auto found = kernel_params_.find(text); found != kernel_params_.end())
            return found->second;
        static const std::regex number(R"((0[fFdD][0-9a-fA-F]+)|(-?(?:0[xX][0-9a-fA-F]+|\d+))U?)");
        std::smatch parts;
        if (!std::regex_match(text, parts, number))
            return std::nullopt;
        if (parts[1].matched)
            return std::stoull(text.substr(2), nullptr, 16);
        const std::string digits = parts[2];
        return digits[0] == '-' ? uint64_t(std::stoll(digits, nullptr, 0)) : std::stoull(digits, nullptr, 0);
    }

    uint32_t literal(uint64_t value, uint8_t size)
    {
        const auto [found, is_new] = known_literals_.try_emplace({value, size}, uint32_t(made_.literals.size()));
        if (is_new) {
            const size_t copies = size == 0 ? 1 : lanes;
            if (size == 0)
                value = value != 0 ? all_lanes : 0;
            const size_t each = size == 0 ? sizeof(lane_mask) : size;
            const size_t begin = made_.literals.size();
            made_.literals.resize(rounded_up(begin + each * copies, 64));
            for (size_t i = 0; i < copies; ++i)
                std::memcpy(&made_.literals[begin + i * each], &value, each);
        }
        return found->second | is_literal;
    }

    void add_operand(const statement &from, instruction &made, const std::string &text, uint8_t size)
    {
        const size_t index = size_t(made.operands++);
        if (index >= made.offset.size())
            refuse(from, "too many operands");
        if (const auto found = find(text); found && (size == any || size == found->size)) {
            made.offset[index] = found->offset;
            made.size[index] = found->size;
        } else if (text == local_) {
            made.offset[index] = special::local;
            made.size[index] = 8;
        } else if (const auto value = value_of(text); value && !found) {
            made.size[index] = size == any ? 8 : size;
            made.offset[index] = literal(*value, made.size[index]);
        } else {
            refuse(from, (found ? "the register is of another size: " : "no operand: ") + text);
        }
    }

    // [register+displacement]
    void add_address(const statement &from, instruction &made, const std::string &text)
    {
        static const std::regex form(R"(\[([^+\]]+)(?:\+(-?\d+))?\])");
        std::smatch parts;
        if (!std::regex_match(text, parts, form))
            refuse(from, "no address: " + text);
        made.displacement = parts[2].matched ? std::stoll(parts[2]) : 0;
        add_operand(from, made, parts[1], any);
    }

    void take_guard(const statement &from, instruction &made, std::string &text)
    {
        if (text[0] != '@')
            return;
        made.guarded = true;
        made.negated = text[1] == '!';
        const size_t end = text.find(' ');
        const auto found = find(text.substr(made.negated ? 2 : 1, end - (made.negated ? 2 : 1)));
        if (!found || found->size != 0)
            refuse(from, "no predicate");
        made.guard = found->offset;
        text = text.substr(end + 1);
    }

    void take_instruction(const statement &from)
    {
        instruction made;
        made.line = from.line;
        std::string text = from.text;
        take_guard(from, made, text);
        const size_t blank = std::min(text.find(' '), text.size());
        std::string opcode = text.substr(0, blank);
        const std::vector<std::string> operands = split(std::string_view(text).substr(blank), ',');
        if (opcode == "bra" || opcode == "bra.uni") {
            made.kind = flow::branch;
            branch_targets_.push_back(operands.at(0));
            made.target = int(branch_targets_.size()) - 1;
        } else if (opcode == "ret" || opcode == "exit") {
            made.kind = flow::leave;
        } else if (opcode == "bar.sync" || opcode == "barrier.sync") {
            if (operands != std::vector<std::string>{"0"})
                refuse(from, "a barrier other than that of all threads");
            made.kind = flow::barrier;
        } else if (opcode == "call.uni" || opcode == "call") {
            made.kind = flow::call;
            take_call(from, made, operands);
        } else {
            take_operation(from, made, opcode, operands);
        }
        made_.code.push_back(made);
        made_.text.push_back(from.text);
    }

    // call (result), function, (arguments): both lists may be absent.
    void take_call(const statement &from, instruction &made, const std::vector<std::string> &operands)
    {
        const bool has_result = operands.at(0)[0] == '(';
        const program &callee = functions_.get(operands.at(has_result ? 1 : 0));
        made_.calls.push_back({&callee, {}, {}});
        made.target = int(made_.calls.size()) - 1;
        using registers_of_callee = std::vector<std::array<uint32_t, 2>>;
        const auto pair = [&](const std::string &list, const registers_of_callee &parameters, const auto &add) {
            const std::vector<std::string> names = split(std::string_view(list).substr(1, list.size() - 2), ',');
            if (names.size() != parameters.size())
                refuse(from, "a call with another number of operands");
            for (size_t i = 0; i < parameters.size(); ++i) {
                const auto found = find(names[i]);
                if (!found || found->size != parameters[i][0])
                    refuse(from, "an operand of a call is of another size");
                add(parameters[i][0], found->offset, parameters[i][1]);
            }
        };
        if (const size_t list = has_result ? 2 : 1; list < operands.size())
            pair(operands[list], callee.parameters, [&](uint32_t bytes, uint32_t outside, uint32_t inside) {
                made_.calls.back().arguments.push_back({bytes, outside, inside});
            });
        if (has_result)
            pair(operands[0], callee.results, [&](uint32_t bytes, uint32_t outside, uint32_t inside) {
                made_.calls.back().results.push_back({bytes, inside, outside});
            });
    }

    void take_operation(const statement &from, instruction &made, std::string opcode,
                        const std::vector<std::string> &operands)
    {
        const bool is_load = opcode.rfind("ld.", 0) == 0;
        const bool is_store = opcode.rfind("st.", 0) == 0;
        const bool is_atomic = opcode.rfind("atom.", 0) == 0 || opcode.rfind("red.", 0) == 0;
        const size_t address = is_store || opcode[0] == 'r' ? 0 : 1;
        if (is_load || is_store || is_atomic || opcode.rfind("ldmatrix", 0) == 0) {
            // Parameters of functions are registers, in the callee and in the caller.
            const std::string &pointer = operands.at(address);
            const auto found = find(pointer.substr(1, std::min(pointer.find('+'), pointer.size() - 1) - 1));
            if (opcode.find(".param.") != std::string::npos && found && pointer.find("%") == std::string::npos) {
                const std::string name = "mov.b" + std::to_string(8 * found->size);
                made.run = operations().at(name).run;
                for (size_t i = 0; i < 2; ++i)
                    add_operand(from, made,
                                i == address ? pointer.substr(1, pointer.find_first_of("+]") - 1) : operands[i],
                                found->size);
                return;
            }
            opcode = take_access(from, made, opcode);
        }
        if (opcode.rfind("mov.", 0) == 0 && operands.size() == 2) {
            for (size_t i = 0; i < 2; ++i)
                if (operands[i][0] == '{')
                    opcode += (i == 0 ? ".into" : ".from") + std::to_string(split(operands[i].substr(1), ',').size());
        }
        const auto known = operations().find(opcode);
        if (known == operations().end())
            refuse(from, "an instruction that the machine does not know");
        made.run = known->second.run;
        const auto &sizes = known->second.sizes;
        const auto size_at = [&] {
            return size_t(made.operands) < sizes.size() ? sizes[size_t(made.operands)] : any;
        };
        for (const std::string &operand : operands) {
            if (operand[0] == '[') {
                add_address(from, made, operand);
                continue;
            }
            const bool is_vector = operand[0] == '{';
            const std::string inside = is_vector ? operand.substr(1, operand.size() - 2) : operand;
            for (const std::string &part : split(inside, is_vector ? ',' : '|'))
                add_operand(from, made, part, size_at());
        }
        if (made.operands != int(is_load || is_store ? made.elements + size_t(1) : sizes.size()))
            refuse(from, "operands are missing, or too many");
    }

    // Takes space, type and vector length from the opcode of a memory access; returns the opcode without them.
    std::string take_access(const statement &from, instruction &made, const std::string &opcode)
    {
        std::string name;
        for (const std::string &part : split(opcode, '.')) {
            static const std::map<std::string, space, std::less<>> spaces = {
                {"global", space::global}, {"shared", space::shared}, {"local", space::local}, {"param", space::param}};
            static const std::regex type("([usbf])(8|16|32|64)");
            std::smatch parts;
            if (const auto found = spaces.find(part); found != spaces.end())
                made.where = found->second;
            else if (part == "v2" || part == "v4")
                made.elements = uint8_t(part[1] - '0');
            else if (std::regex_match(part, parts, type)) {
                made.bytes = uint8_t(std::stoi(parts[2]) / 8);
                made.is_signed = parts[1] == "s";
                if (opcode[0] == 'a' || opcode[0] == 'r')
                    name += "." + part; // arithmetic depends on the type
            } else
                name += (name.empty() ? "" : ".") + part;
        }
        if (made.where == space::param && !source_.is_kernel)
            refuse(from, "a parameter of a function that is no register");
        return name;
    }

    int target_of(const instruction &each) const
    {
        const std::string &label = branch_targets_[size_t(each.target)];
        const auto found = labels_.find(label);
        if (found == labels_.end())
            throw fault(source_.name + ": no label " + label);
        if (found->second == int(made_.code.size()))
            throw fault(source_.name + ": nothing after " + label);
        return found->second;
    }

    library &functions_;
    const function_source &source_;
    program made_;
    size_t registers_end_ = special::end;
    std::vector<std::map<std::string, registers, std::less<>>> names_; // by scope
    std::map<std::string, size_t, std::less<>> shared_, kernel_params_;
    std::map<std::string, int, std::less<>> labels_;
    std::map<std::pair<uint64_t, uint8_t>, uint32_t> known_literals_;
    std::vector<std::string> branch_targets_;
    std::string local_;
};

} // namespace

const program &library::get(const std::string &name)
{
    std::unique_ptr<program> &made = made_[name];
    if (made == nullptr) {
        const function_source *source = source_.find(name);
        if (source == nullptr)
            throw fault("no function " + name);
        auto whole = std::make_unique<program>();
        maker(*this, *source).make(*whole);
        made = std::move(whole);
    }
    return *made;
}

} // namespace test::ptx
