#include "sandbox/shortcut.h"

#include <arpa/inet.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tcp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <system_error>
#include <vector>

#include "base/report.h"
#include "os/netlink.h"
#include "sandbox/address_pool.h"

namespace renga::sandbox {
namespace {

enum Register : std::uint8_t { r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, stack_top };

// Writes the program's instructions. Jumps are forward; those whose end is not known yet wait for
// land(), and those of leave_if() all lead to the end, where the packet goes the firewall's way.
class Writer {
 public:
  using Jump = std::size_t;

  void load(int size, Register to, Register from, int offset) {
    add(BPF_LDX | BPF_MEM | size, to, from, offset, 0);
  }
  void store(int size, int offset, Register from) {
    add(BPF_STX | BPF_MEM | size, stack_top, from, offset, 0);
  }
  void store_number(int size, int offset, int number) {
    add(BPF_ST | BPF_MEM | size, stack_top, r0, offset, number);
  }
  void copy(Register to, Register from) { add(BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0); }
  void set(Register to, int number) { calculate(BPF_MOV, to, number); }
  void calculate(int operation, Register to, int number) {
    add(BPF_ALU64 | operation | BPF_K, to, r0, 0, number);
  }
  // Of a number as it is in a packet.
  void to_host_order(Register of, int bits) { add(BPF_ALU | BPF_END | BPF_TO_BE, of, r0, 0, bits); }
  void call(int function) { add(BPF_JMP | BPF_CALL, r0, r0, 0, function); }
  void exit() { add(BPF_JMP | BPF_EXIT, r0, r0, 0, 0); }

  Jump jump_if(int comparison, Register left, int right) {
    return add(BPF_JMP | comparison | BPF_K, left, r0, 0, right);
  }
  Jump jump() { return add(BPF_JMP | BPF_JA, r0, r0, 0, 0); }
  void land(Jump jump) { code_[jump].off = static_cast<std::int16_t>(code_.size() - jump - 1); }
  void leave_if(int comparison, Register left, int right) {
    leaving_.push_back(jump_if(comparison, left, right));
  }
  void leave_if(int comparison, Register left, Register right) {
    leaving_.push_back(add(BPF_JMP | comparison | BPF_X, left, right, 0, 0));
  }

  std::vector<bpf_insn> finish() {
    for (const auto jump : leaving_) land(jump);
    set(r0, TC_ACT_UNSPEC);
    exit();
    return std::move(code_);
  }

 private:
  Jump add(int code, Register to, Register from, int offset, int number) {
    bpf_insn instruction = {};
    instruction.code = static_cast<std::uint8_t>(code);
    instruction.dst_reg = to & 0xf;
    instruction.src_reg = from & 0xf;
    instruction.off = static_cast<std::int16_t>(offset);
    instruction.imm = number;
    code_.push_back(instruction);
    return code_.size() - 1;
  }

  std::vector<bpf_insn> code_;
  std::vector<Jump> leaving_;
};

// Where things are in a packet whose headers are of the usual length.
constexpr int ip_header = sizeof(ethhdr);
constexpr int tcp_header = ip_header + sizeof(iphdr);
constexpr int headers = tcp_header + sizeof(tcphdr);
constexpr int tcp_flags = tcp_header + 13;
constexpr int usual_ip_header = 0x45;  // version 4, and no options
constexpr int syn = 0x02;
constexpr int fragment_bits = 0x3fff;  // more of them to come, or not the first one

// In what follows r6 is the packet's __sk_buff, r7 and r8 are its two addresses as it has them, and
// r9 is the link that it came by.

// To r1: the link that leads to an address; leaves where there is none.
void look_up_link(Writer& to, Register source, Register destination) {
  constexpr int size = sizeof(bpf_fib_lookup);
  static_assert(size % 8 == 0);
  const auto at = [](std::size_t offset) { return static_cast<int>(offset) - size; };
  for (int offset = 0; offset < size; offset += 8) to.store_number(BPF_DW, offset - size, 0);
  to.store_number(BPF_B, at(offsetof(bpf_fib_lookup, family)), AF_INET);
  to.store_number(BPF_B, at(offsetof(bpf_fib_lookup, l4_protocol)), IPPROTO_TCP);
  to.store(BPF_W, at(offsetof(bpf_fib_lookup, ifindex)), r9);
  to.store(BPF_W, at(offsetof(bpf_fib_lookup, ipv4_src)), source);
  to.store(BPF_W, at(offsetof(bpf_fib_lookup, ipv4_dst)), destination);
  to.copy(r1, r6);
  to.copy(r2, stack_top);
  to.calculate(BPF_ADD, r2, -size);
  to.set(r3, size);
  to.set(r4, 0);
  to.call(BPF_FUNC_fib_lookup);
  // Whose hardware address is not known has a link all the same. Else the index is not an answer.
  const auto found = to.jump_if(BPF_JEQ, r0, BPF_FIB_LKUP_RET_SUCCESS);
  to.leave_if(BPF_JNE, r0, BPF_FIB_LKUP_RET_NO_NEIGH);
  to.land(found);
  to.load(BPF_W, r1, stack_top, at(offsetof(bpf_fib_lookup, ifindex)));
}

std::vector<bpf_insn> program() {
  Writer to;
  to.copy(r6, r1);
  to.load(BPF_W, r2, r6, offsetof(__sk_buff, data));
  to.load(BPF_W, r3, r6, offsetof(__sk_buff, data_end));
  to.copy(r4, r2);
  to.calculate(BPF_ADD, r4, headers);
  to.leave_if(BPF_JGT, r4, r3);

  // TCP, whole, and nothing that begins a connection or agrees to one: that is for the firewall.
  to.load(BPF_H, r4, r2, offsetof(ethhdr, h_proto));
  to.leave_if(BPF_JNE, r4, htons(ETH_P_IP));
  to.load(BPF_B, r4, r2, ip_header);
  to.leave_if(BPF_JNE, r4, usual_ip_header);
  to.load(BPF_B, r4, r2, ip_header + offsetof(iphdr, protocol));
  to.leave_if(BPF_JNE, r4, IPPROTO_TCP);
  to.load(BPF_H, r4, r2, ip_header + offsetof(iphdr, frag_off));
  to.leave_if(BPF_JSET, r4, htons(fragment_bits));
  to.load(BPF_B, r4, r2, tcp_flags);
  to.leave_if(BPF_JSET, r4, syn);

  // Between a dyno and a port of a service that is open to dynos.
  constexpr int dyno = first_of_dynos >> (32 - half_bits);
  constexpr int service = first_of_services >> (32 - half_bits);
  to.load(BPF_W, r7, r2, ip_header + offsetof(iphdr, saddr));
  to.load(BPF_W, r8, r2, ip_header + offsetof(iphdr, daddr));
  to.copy(r4, r7);
  to.copy(r5, r8);
  for (const auto half : {r4, r5}) {
    to.to_host_order(half, 32);
    to.calculate(BPF_RSH, half, 32 - half_bits);
  }
  const auto not_of_dyno = to.jump_if(BPF_JNE, r4, dyno);
  to.leave_if(BPF_JNE, r5, service);
  to.load(BPF_H, r3, r2, tcp_header + offsetof(tcphdr, dest));
  const auto of_dyno = to.jump();
  to.land(not_of_dyno);
  to.leave_if(BPF_JNE, r4, service);
  to.leave_if(BPF_JNE, r5, dyno);
  to.load(BPF_H, r3, r2, tcp_header + offsetof(tcphdr, source));
  to.land(of_dyno);
  to.to_host_order(r3, 16);
  to.leave_if(BPF_JLT, r3, first_open_port);

  // From the address that this link leads to, and from no other.
  to.load(BPF_W, r9, r6, offsetof(__sk_buff, ifindex));
  look_up_link(to, r8, r7);
  to.leave_if(BPF_JNE, r1, r9);
  look_up_link(to, r7, r8);
  to.set(r2, 0);
  to.call(BPF_FUNC_redirect_peer);
  to.exit();
  return to.finish();
}

// The descriptor, or -1 with errno.
int load(const std::vector<bpf_insn>& code) {
  bpf_attr attributes = {};
  attributes.prog_type = BPF_PROG_TYPE_SCHED_CLS;
  attributes.insns = reinterpret_cast<std::uintptr_t>(code.data());
  attributes.insn_cnt = static_cast<std::uint32_t>(code.size());
  // The kernel lends its routes to programs under its own licence only.
  attributes.license = reinterpret_cast<std::uintptr_t>("Dual MIT/GPL");
  std::strcpy(attributes.prog_name, "renga_shortcut");
  return static_cast<int>(syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof attributes));
}

tcmsg on_ingress(unsigned interface, std::uint32_t handle, std::uint32_t parent) {
  tcmsg header = {};
  header.tcm_family = AF_UNSPEC;
  header.tcm_ifindex = static_cast<int>(interface);
  header.tcm_handle = handle;
  header.tcm_parent = parent;
  return header;
}

}  // namespace

Shortcut::Shortcut() : program_(load(program())) {
  if (!program_) do_without(errno, "load a program into the kernel");
}

void Shortcut::give(unsigned interface) {
  if (!program_) return;
  constexpr std::uint32_t queue = TC_H_MAKE(TC_H_INGRESS, 0);
  constexpr std::uint16_t create_new = NLM_F_CREATE | NLM_F_EXCL;
  auto filter = on_ingress(interface, 0, queue);
  filter.tcm_info = TC_H_MAKE(1U << 16, htons(ETH_P_IP));
  os::Netlink batch;
  batch.request(RTM_NEWQDISC, create_new, on_ingress(interface, queue, TC_H_INGRESS))
      .attribute(TCA_KIND, std::string_view("ingress"));
  batch.request(RTM_NEWTFILTER, create_new, filter)
      .attribute(TCA_KIND, std::string_view("bpf"))
      .open_nest(TCA_OPTIONS)
      .attribute(TCA_BPF_FD, static_cast<std::uint32_t>(program_.get()))
      .attribute(TCA_BPF_NAME, std::string_view("renga_shortcut"))
      .attribute(TCA_BPF_FLAGS, std::uint32_t{TCA_BPF_FLAG_ACT_DIRECT})
      .close_nest();
  // Of a sandbox that has ended, the link may be gone.
  for (const int error : batch.send())
    if (error != 0 && error != ENODEV) return do_without(error, "put a program before a link");
}

void Shortcut::do_without(int error, std::string_view attempted) {
  program_.close();
  report("spawner",
         "Dynos reach add-ons by the longer way, through the firewall: the kernel does not "
         "let renga " +
             std::string(attempted) + ": " + std::generic_category().message(error) + ".");
}

bool names_service(std::string_view text) {
  constexpr std::string_view start = "100.";
  const auto* const end = text.data() + text.size();
  for (auto at = text.find(start); at != text.npos; at = text.find(start, at + start.size())) {
    unsigned second = 0;
    std::from_chars(text.data() + at + start.size(), end, second);
    if (second >= (first_of_services >> 16 & 0xff) && second < 128) return true;
  }
  return false;
}

}  // namespace renga::sandbox
