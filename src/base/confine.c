#include "base/confine.h"

#include "base/err.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LANDLOCK_TCP = 1 << 0 | 1 << 1 /* bind, connect */, LANDLOCK_ABSTRACT_UNIX = 1 << 0 };
enum { NAMESPACES = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET };

/* As later kernels know it; those before take it too, where what they do not know is 0. */
struct rules { uint64_t files, network, scoped; };

/* The folder itself, and not what a link points at; never one of a third user, who may be working there. One that the new
 * user's group may write is shared, and stays whose it is. */
static bool give_folder(const char *folder, const struct passwd *to, struct err *e)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	bool ok = fd >= 0 && fstat(fd, &st) == 0, shared = ok && st.st_gid == to->pw_gid && (st.st_mode & S_IWGRP);

	if (!ok) {
		err_errno(e, "cannot open the folder %s itself", folder);
	} else if (!shared && st.st_uid != to->pw_uid && st.st_uid != geteuid()) {
		ok = err_set(e, "%s belongs to another user", folder);
		err_expected(e, "one user for all, or `chown %s: %s`, or users of one group and `chmod g+w %s`", to->pw_name, folder, folder);
	} else if (!shared && st.st_uid != to->pw_uid && fchown(fd, to->pw_uid, to->pw_gid) != 0) {
		ok = err_errno(e, "cannot give %s to %s", folder, to->pw_name);
	}
	if (fd >= 0)
		(void)close(fd);
	return ok;
}

bool confine_knows(const char *user, struct err *e)
{
	if (!user || getpwnam(user))
		return true;
	err_asked(e, "no user %.60s", user);
	return err_expected(e, "a user of this machine, or none: --user");
}

bool confine_become(const char *user, const char *folder, struct err *e)
{
	if (!confine_knows(user, e))
		return false;
	struct passwd *p = getpwnam(user);
	if (geteuid() == p->pw_uid)
		return true;
	if (folder && !give_folder(folder, p, e))
		return false;
	if (setgroups(0, NULL) != 0 || setresgid(p->pw_gid, p->pw_gid, p->pw_gid) != 0 ||
		setresuid(p->pw_uid, p->pw_uid, p->pw_uid) != 0)
		return err_errno(e, "cannot become %s", user);
	return true;
}

static bool drop_capabilities(const struct confine_how *how, struct err *e)
{
	bool override = how->of_others && capng_have_capability(CAPNG_EFFECTIVE, CAP_DAC_OVERRIDE);

	capng_clear(CAPNG_SELECT_CAPS);
	if (override)
		(void)capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_DAC_OVERRIDE);
	return capng_apply(CAPNG_SELECT_CAPS) == 0 || err_set(e, "cannot give up capabilities");
}

static bool open_to(int set, const char *path, uint64_t rights)
{
	struct landlock_path_beneath_attr beneath = { .allowed_access = rights, .parent_fd = open(path, O_PATH | O_CLOEXEC) };
	struct stat st;
	bool ok = beneath.parent_fd >= 0 && fstat(beneath.parent_fd, &st) == 0;

	if (ok && !S_ISDIR(st.st_mode))
		beneath.allowed_access &= LANDLOCK_ACCESS_FS_READ_FILE;
	ok = ok && syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) == 0;
	if (beneath.parent_fd >= 0)
		(void)close(beneath.parent_fd);
	return ok;
}

/* Only the folder, for everything that has to do with files, and what may be read; and where it is known, no TCP but what is
 * open: an accepted socket could be connected anew. *held is false where the kernel has no landlock. */
static bool fence(const struct confine_how *how, bool *held, struct err *e)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	uint64_t read = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
	uint64_t ours = read | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
		LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR;
	uint64_t all = ours | LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_SOCK |
		LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;
	uint64_t refer = abi >= 2 ? LANDLOCK_ACCESS_FS_REFER : 0;       /* to move a file into a folder of the folder */
	bool alone = how->network < NETWORK_CONNECTS;
	struct rules rules = { all | refer, alone && abi >= 4 ? LANDLOCK_TCP : 0, alone && abi >= 6 ? LANDLOCK_ABSTRACT_UNIX : 0 };

	*held = abi >= 1;
	if (!*held)
		return true;
	int set = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0);
	bool ok = set >= 0 && (!how->folder || open_to(set, how->folder, ours | refer));
	for (const char *const *path = how->readable; ok && path && *path; path++)
		if (access(*path, F_OK) == 0)
			ok = open_to(set, *path, read);
	ok = ok && syscall(SYS_landlock_restrict_self, set, 0) == 0;
	if (!ok)
		err_errno(e, "cannot fence in %s", how->folder ? how->folder : "this process");
	if (set >= 0)
		(void)close(set);
	return ok;
}

static bool allow_calls(scmp_filter_ctx c, const int *calls, size_t n)
{
	bool ok = c != NULL;

	for (size_t i = 0; ok && i < n; i++)
		ok = seccomp_rule_add(c, SCMP_ACT_ALLOW, calls[i], 0) == 0;
	return ok;
}

static bool allow_ioctl(scmp_filter_ctx c, unsigned long request)
{
	struct scmp_arg_cmp second = { .arg = 1, .op = SCMP_CMP_EQ, .datum_a = request };

	return seccomp_rule_add_array(c, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, &second) == 0;
}

/* Threads and the proof's child, but no namespaces; clone3 hides its flags, so the C library is sent back to clone. */
static bool allow_threads(scmp_filter_ctx c)
{
	return seccomp_rule_add(c, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0 &&
		seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, NAMESPACES, 0)) == 0;
}

static bool allow_unix_sockets(scmp_filter_ctx c)
{
	const struct scmp_arg_cmp how[] = {
		{ .arg = 0, .op = SCMP_CMP_EQ, .datum_a = AF_UNIX },
		{ .arg = 1, .op = SCMP_CMP_MASKED_EQ, .datum_a = ~(scmp_datum_t)(SOCK_CLOEXEC | SOCK_NONBLOCK), .datum_b = SOCK_STREAM },
	};

	return seccomp_rule_add_array(c, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2, how) == 0 &&
		seccomp_rule_add(c, SCMP_ACT_ALLOW, SCMP_SYS(connect), 0) == 0;
}

/* Everything else is refused with EPERM, not punished: a library that tries something goes on without it. */
static bool allow(const struct confine_how *how, struct err *e)
{
	static const int always[] = {
		SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(lseek), SCMP_SYS(close), SCMP_SYS(fsync),
		SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(ftruncate), SCMP_SYS(fallocate), SCMP_SYS(flock), SCMP_SYS(fcntl), SCMP_SYS(fstat),
		SCMP_SYS(newfstatat), SCMP_SYS(stat), SCMP_SYS(statx),
		SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getcwd), SCMP_SYS(statfs),
		SCMP_SYS(fstatfs), SCMP_SYS(openat), SCMP_SYS(open), SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2), SCMP_SYS(unlink),
		SCMP_SYS(unlinkat), SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(rmdir), SCMP_SYS(getdents64), SCMP_SYS(poll), SCMP_SYS(ppoll),
		SCMP_SYS(getsockopt), SCMP_SYS(bind), SCMP_SYS(sendto), SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mprotect), SCMP_SYS(mremap),
		SCMP_SYS(madvise), SCMP_SYS(brk),
		SCMP_SYS(futex), SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(sched_yield),
		SCMP_SYS(sched_getaffinity), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
		SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack), SCMP_SYS(tgkill), SCMP_SYS(gettid), SCMP_SYS(getpid), SCMP_SYS(getppid),
		SCMP_SYS(getrandom), SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(restart_syscall),
		SCMP_SYS(wait4), SCMP_SYS(prctl), SCMP_SYS(sysinfo),
	};
	static const int serves[] = {
		SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(listen), SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait),
		SCMP_SYS(epoll_pwait), SCMP_SYS(eventfd2), SCMP_SYS(pipe2), SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(sendmsg),
		SCMP_SYS(shutdown), SCMP_SYS(setsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(sendfile),
	};
	static const int connects[] = {
		SCMP_SYS(socket), SCMP_SYS(socketpair), SCMP_SYS(connect), SCMP_SYS(sendmmsg), SCMP_SYS(recvmmsg), SCMP_SYS(uname),
		SCMP_SYS(lstat), SCMP_SYS(select), SCMP_SYS(pselect6), SCMP_SYS(dup), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid),
		SCMP_SYS(fadvise64), SCMP_SYS(prlimit64),
	};
	scmp_filter_ctx c = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	bool ok = allow_calls(c, always, sizeof always / sizeof *always) && allow_threads(c);

	if (how->network >= NETWORK_SERVES)
		ok = ok && allow_calls(c, serves, sizeof serves / sizeof *serves);
	if (how->network == NETWORK_ASKS)
		ok = ok && allow_unix_sockets(c);
	if (how->network >= NETWORK_CONNECTS)
		ok = ok && allow_calls(c, connects, sizeof connects / sizeof *connects) && allow_ioctl(c, FIONREAD) && allow_ioctl(c, FIONBIO);
	for (size_t i = 0; ok && i < how->ioctls_len; i++)
		ok = allow_ioctl(c, how->ioctls[i]);
	ok = ok && seccomp_load(c) == 0;
	seccomp_release(c);
	return ok || err_set(e, "cannot limit system calls");
}

bool confine(const struct confine_how *how, struct confined *out, struct err *e)
{
	*out = (struct confined){ 0 };
	if (how->user && !confine_become(how->user, how->folder, e))
		return false;
	out->user = geteuid() != 0;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return err_errno(e, "cannot rule out new rights");
	return drop_capabilities(how, e) && fence(how, &out->landlock, e) && allow(how, e);
}

/* A child tries, since what must fail might work. */
static bool runs_programs(void)
{
	char *const words[] = { (char *)"true", NULL };
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		(void)execv("/bin/true", words);
		_exit(99);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && !(WIFEXITED(status) && WEXITSTATUS(status) == 99);
}

bool confine_holds(enum network network, const char **what)
{
	bool connects = network == NETWORK_CONNECTS;
	int file = open("/etc/passwd", (connects ? O_WRONLY : O_RDONLY) | O_CLOEXEC), net = connects ? -1 : socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	*what = file >= 0 ? "a file elsewhere can be opened" : net >= 0 ? "a socket can be made" : runs_programs() ?
		"a program can be run" : NULL;
	if (file >= 0)
		(void)close(file);
	if (net >= 0)
		(void)close(net);
	return *what == NULL;
}
