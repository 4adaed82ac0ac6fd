#include "capture/ring.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "capture/canary.h"
#include "capture/decode.h"
#include "capture/pcapfile.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* libpcap's program is the kernel's, instruction for instruction, but its header clashes with the kernel's: so the struct
 * that both sides know by name is written out. */
#define PCAP_DONT_INCLUDE_PCAP_BPF_H
struct bpf_program { unsigned bf_len; struct sock_filter *bf_insns; };
#include <pcap/pcap.h>

enum { FILTER_MAX = 1 << 16 };
/* Behind a packet's header stands where it came from. */
enum { ADDRESS_AT = (sizeof(struct tpacket3_hdr) + TPACKET_ALIGNMENT - 1) / TPACKET_ALIGNMENT * TPACKET_ALIGNMENT };

struct ring {
	int fd;
	char interface[IFNAMSIZ];
	int index;                      /* of the interface that we are bound to */
	unsigned link;
	uint8_t *map; size_t map_len;
	unsigned block;                 /* the one that is being read */
	bool held;                      /* it is ours until given back */
	uint32_t left;                  /* packets of it not yet taken */
	const struct tpacket3_hdr *next;
	uint64_t frames;
	bool promiscuous;
};

static struct tpacket_block_desc *block_at(const struct ring *r, unsigned i)
{
	return (struct tpacket_block_desc *)(void *)(r->map + (size_t)i * RING_BLOCK);
}

static bool about_interface(const struct ring *r, unsigned long what, struct ifreq *q)
{
	*q = (struct ifreq){ 0 };
	memcpy(q->ifr_name, r->interface, sizeof q->ifr_name);
	return ioctl(r->fd, what, q) == 0;
}

/* What its frames begin with: another one of the same name may be of another kind. */
static bool read_link(struct ring *r, struct err *e)
{
	struct ifreq q;

	if (!about_interface(r, SIOCGIFHWADDR, &q))
		return err_errno(e, "cannot ask for the kind of %s", r->interface);
	switch (q.ifr_hwaddr.sa_family) {
	case ARPHRD_ETHER: case ARPHRD_LOOPBACK:
		r->link = LINK_ETHERNET;
		return true;
	case ARPHRD_NONE: case ARPHRD_PPP: case ARPHRD_TUNNEL: case ARPHRD_TUNNEL6: case ARPHRD_SIT: case ARPHRD_IPGRE:
		r->link = LINK_RAW;
		return true;
	default:
		err_set(e, "%s is of kind %u, which is not read", r->interface, q.ifr_hwaddr.sa_family);
		return err_expected(e, "Ethernet, loopback, PPP or a tunnel");
	}
}

static bool find_interface(struct ring *r, const char *name, struct err *e)
{
	struct ifreq q;

	if (strlen(name) >= sizeof r->interface || name[0] == '\0')
		return err_asked(e, "not an interface's name: \"%.30s\"", name);
	memcpy(r->interface, name, strlen(name) + 1);
	if (!about_interface(r, SIOCGIFINDEX, &q)) {
		err_errno(e, "no interface %s", name);
		return err_expected(e, "`ip link` lists them");
	}
	r->index = q.ifr_ifindex;
	return read_link(r, e);
}

static bool set(const struct ring *r, int what, const void *value, size_t len, const char *name, struct err *e)
{
	return setsockopt(r->fd, SOL_PACKET, what, value, (socklen_t)len) == 0 || err_errno(e, "cannot set %s of the ring", name);
}

static bool map_ring(struct ring *r, struct err *e)
{
	int version = TPACKET_V3;
	struct tpacket_req3 q = { .tp_block_size = RING_BLOCK, .tp_block_nr = RING_BLOCKS, .tp_frame_size = 2048,
		.tp_frame_nr = (unsigned)RING_BLOCK / 2048 * RING_BLOCKS, .tp_retire_blk_tov = RING_RETIRE_MS };

	if (!set(r, PACKET_VERSION, &version, sizeof version, "the version", e) || !set(r, PACKET_RX_RING, &q, sizeof q, "the size", e))
		return false;
	r->map_len = (size_t)RING_BLOCK * RING_BLOCKS;
	void *map = mmap(NULL, r->map_len, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
	if (map == MAP_FAILED)
		return err_errno(e, "cannot map the ring");
	r->map = map;
	return true;
}

static bool compiles(pcap_t *p, const char *text)
{
	struct bpf_program alone = { 0 };
	bool ok = pcap_compile(p, &alone, text, 1, 0xffffffffu) == 0;

	pcap_freecode(&alone);
	return ok;
}

/* The caller frees what was made; nothing where nothing is filtered. */
static bool compile(bool ethernet, const struct ring_how *how, struct bpf_program *made, struct err *e)
{
	char wide[FILTER_MAX];

	*made = (struct bpf_program){ 0 };
	if (!how->filter || !how->filter[0])
		return true;
	/* in front: words such as "vlan" change what all that follows them looks at */
	int n = snprintf(wide, sizeof wide, "%s(%s)", how->sings && ethernet ? CANARY_FILTER " or " : "", how->filter);
	pcap_t *p = pcap_open_dead(ethernet ? 1 : 12, (int)how->snaplen);
	/* by itself first: what is wrong with it should be said of it */
	bool ok = p && n < (int)sizeof wide && compiles(p, how->filter) && pcap_compile(p, made, wide, 1, 0xffffffffu) == 0;
	if (!ok) {
		err_asked(e, "not a filter: %.100s: %.100s", how->filter, p ? pcap_geterr(p) : "no memory");
		err_expected(e, "as pcap-filter(7) describes them");
	} else if (made->bf_len > BPF_MAXINSNS) {
		ok = err_asked(e, "the filter is too long: %u instructions", made->bf_len);
		err_expected(e, "up to %d", BPF_MAXINSNS);
		pcap_freecode(made);
	}
	if (p)
		pcap_close(p);
	return ok;
}

bool ring_filter_holds(const struct ring_how *how, struct err *e)
{
	struct bpf_program made;
	bool ok = compile(true, how, &made, e);

	if (ok)
		pcap_freecode(&made);
	return ok;
}

/* The kernel cuts each packet to what the filter returns: its program is there also where nothing is filtered. */
static bool filter(const struct ring *r, const struct ring_how *how, struct err *e)
{
	struct sock_filter all = { BPF_RET | BPF_K, 0, 0, how->snaplen };
	struct bpf_program made;

	if (!compile(r->link == LINK_ETHERNET, how, &made, e))
		return false;
	struct sock_fprog program = made.bf_len ? (struct sock_fprog){ (unsigned short)made.bf_len, made.bf_insns } : (struct sock_fprog){ 1, &all };
	bool ok = setsockopt(r->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0 || err_errno(e, "cannot attach the filter");
	pcap_freecode(&made);
	return ok;
}

/* Which worker a packet goes to: the one of the host at the other end, so that its packets and ours to it come to one. The
 * kernel takes what is returned modulo the number of workers. */
static bool share_out(const struct ring *r, struct err *e)
{
	enum { NET = SKF_NET_OFF, KIND = SKF_AD_OFF + SKF_AD_PKTTYPE, PROTOCOL = SKF_AD_OFF + SKF_AD_PROTOCOL };
	struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)PROTOCOL),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IPV6, 7, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
		/* IPv4: source, or destination of what we send */
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)KIND),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 2, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)(NET + 12)),
		BPF_STMT(BPF_JMP | BPF_JA, 13),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)(NET + 16)),
		BPF_STMT(BPF_JMP | BPF_JA, 11),
		/* IPv6: the same, two of its words */
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)KIND),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 5, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)(NET + 12)),
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)(NET + 20)),
		BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0),
		BPF_STMT(BPF_JMP | BPF_JA, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)(NET + 28)),
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)(NET + 36)),
		BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0),
		/* mixed, so that neighbours part */
		BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, 0x9e3779b1u),
		BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 16),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	struct sock_fprog whole = { sizeof program / sizeof *program, program };

	return set(r, PACKET_FANOUT_DATA, &whole, sizeof whole, "the way to share packets", e);
}

static bool bind_to(const struct ring *r, int index)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = index };

	return bind(r->fd, (const struct sockaddr *)&to, sizeof to) == 0;
}

static bool join(const struct ring *r, const struct ring_how *how, struct err *e)
{
	struct packet_mreq all = { .mr_ifindex = r->index, .mr_type = PACKET_MR_PROMISC };
	int group = (int)(how->group & 0xffff) | (PACKET_FANOUT_CBPF | (how->joins ? 0 : PACKET_FANOUT_FLAG_UNIQUEID)) << 16;

	if (!bind_to(r, r->index))
		return err_errno(e, "cannot listen on %s", r->interface);
	if (how->promiscuous && !set(r, PACKET_ADD_MEMBERSHIP, &all, sizeof all, "promiscuous mode", e))
		return false;
	return how->workers <= 1 || (set(r, PACKET_FANOUT, &group, sizeof group, "the group", e) && (how->joins || share_out(r, e)));
}

struct ring *ring_open(const struct ring_how *how, struct err *e)
{
	struct ring *r = mem_zero(1, sizeof *r);

	/* protocol 0: nothing comes before filter and ring are there */
	r->promiscuous = how->promiscuous;
	r->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (r->fd < 0) {
		err_errno(e, "cannot open a raw socket");
		err_expected(e, "CAP_NET_RAW: as root, or setcap cap_net_raw+ep on the program");
	} else if (find_interface(r, how->interface, e) && map_ring(r, e) && filter(r, how, e) && join(r, how, e)) {
		return r;
	}
	ring_close(r);
	return NULL;
}

void ring_close(struct ring *r)
{
	if (!r)
		return;
	if (r->map)
		(void)munmap(r->map, r->map_len);
	if (r->fd >= 0)
		(void)close(r->fd);
	free(r);
}

void ring_wait(struct ring *r, unsigned ms)
{
	struct pollfd p = { r->fd, POLLIN, 0 };

	if (__atomic_load_n(&block_at(r, r->block)->hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER)
		return;
	if (poll(&p, 1, (int)ms) > 0 && p.revents & POLLERR) {          /* the interface went down; the error is taken by reading it */
		int error;
		socklen_t len = sizeof error;

		(void)getsockopt(r->fd, SOL_SOCKET, SO_ERROR, &error, &len);
	}
}

static void give_back(struct ring *r)
{
	if (!r->held)
		return;
	__atomic_store_n(&block_at(r, r->block)->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
	r->block = (r->block + 1) % RING_BLOCKS;
	r->held = false;
}

static bool take_block(struct ring *r)
{
	struct tpacket_block_desc *b = block_at(r, r->block);

	if (!(__atomic_load_n(&b->hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
		return false;
	r->held = true;
	r->left = b->hdr.bh1.num_pkts;
	r->next = (const struct tpacket3_hdr *)(const void *)((const uint8_t *)b + b->hdr.bh1.offset_to_first_pkt);
	return true;
}

size_t ring_frames(struct ring *r, struct frame *list, size_t max)
{
	size_t n = 0;
	int64_t shift_s = clock_shift_s();

	while (r->left == 0) {
		give_back(r);
		if (!take_block(r))
			return 0;
	}
	for (; n < max && r->left > 0; n++, r->left--) {
		const struct tpacket3_hdr *h = r->next;
		const struct sockaddr_ll *from = (const struct sockaddr_ll *)(const void *)((const uint8_t *)h + ADDRESS_AT);

		list[n] = (struct frame){ (const uint8_t *)h + h->tp_mac, h->tp_snaplen, ++r->frames, r->link, h->tp_sec + shift_s, true,
			from->sll_pkttype == PACKET_OUTGOING, false };
		list[n].elsewhere = from->sll_pkttype == PACKET_OTHERHOST && !r->promiscuous;
		r->next = (const struct tpacket3_hdr *)(const void *)((const uint8_t *)h + h->tp_next_offset);
	}
	return n;
}

uint64_t ring_lost(struct ring *r)
{
	struct tpacket_stats_v3 s = { 0 };
	socklen_t len = sizeof s;

	return getsockopt(r->fd, SOL_PACKET, PACKET_STATISTICS, &s, &len) == 0 ? s.tp_drops : 0;
}

unsigned ring_group(const struct ring *r)
{
	int group = 0;
	socklen_t len = sizeof group;

	return getsockopt(r->fd, SOL_PACKET, PACKET_FANOUT, &group, &len) == 0 ? (unsigned)group & 0xffff : 0;
}

int ring_interface(const struct ring *r)
{
	return r->index;
}

bool ring_is_ethernet(const struct ring *r)
{
	return r->link == LINK_ETHERNET;
}

bool ring_up(struct ring *r)
{
	struct ifreq q = { .ifr_ifindex = r->index };
	struct err e;

	if (ioctl(r->fd, SIOCGIFNAME, &q) == 0) {
		memcpy(r->interface, q.ifr_name, sizeof r->interface);
	} else {                /* it is gone; perhaps one of its name has come */
		if (!about_interface(r, SIOCGIFINDEX, &q) || !read_link(r, &e) || !bind_to(r, q.ifr_ifindex))
			return false;
		r->index = q.ifr_ifindex;
	}
	return about_interface(r, SIOCGIFFLAGS, &q) && q.ifr_flags & IFF_UP && q.ifr_flags & IFF_RUNNING;
}
