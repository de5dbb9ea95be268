// SPDX-License-Identifier: ISC
//
// Leaks to be found in C++: "seeds++ NAME..." makes one by the line that says "LEAK NAME", for each, and
// executes another program.  With -DFIXED it is the same program without the leak.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <stdexcept>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#ifdef FIXED
enum { FLAGS = O_RDONLY | O_CLOEXEC };
#else
enum { FLAGS = O_RDONLY };
#endif

static volatile int sink;

struct Early {
	Early();
};
__attribute__((noinline)) Early::Early()
{
	sink = open("/etc/passwd", getenv("SEED_STATIC") ? FLAGS : O_RDONLY | O_CLOEXEC); // LEAK static
}
static Early early;

namespace deep {
template <typename T> struct Cache {
	virtual ~Cache() = default;
	virtual T load(const char *path);
};
template <typename T> __attribute__((noinline)) T Cache<T>::load(const char *path)
{
	T fd = open(path, FLAGS); // LEAK method
	sink = fd;
	return fd;
}
}

struct Guard {
	~Guard();
};
__attribute__((noinline)) Guard::~Guard()
{
	sink = open("/etc/passwd", FLAGS); // LEAK unwinding
}

static __attribute__((noinline)) void throws()
{
	Guard guard;

	throw std::runtime_error("thrown");
}

static __attribute__((noinline)) void in_thread()
{
	sink = open("/etc/passwd", FLAGS); // LEAK thread
}

static __attribute__((noinline)) void stream()
{
	static std::ifstream file;

	file.open("/etc/passwd"); // LEAK ifstream
	sink = file.is_open();
#ifdef FIXED
	file.close();
#endif
}

static __attribute__((noinline)) void leak(const char *wanted)
{
	if (!strcmp(wanted, "method")) {
		std::unique_ptr<deep::Cache<int>> cache(new deep::Cache<int>);
		cache->load("/etc/passwd");
	} else if (!strcmp(wanted, "function")) {
		int number = 3;
		std::function<int(const char *)> f = [number](const char *path) {
			int fd = open(path, FLAGS); // LEAK function
			sink = fd + number;
			return fd;
		};
		f("/etc/passwd");
	} else if (!strcmp(wanted, "algorithm")) {
		std::vector<int> v{3, 1, 2};
		bool once = false;
		std::sort(v.begin(), v.end(), [&once](int a, int b) {
			if (!once)
				sink = open("/etc/passwd", FLAGS); // LEAK algorithm
			once = true;
			return a < b;
		});
	} else if (!strcmp(wanted, "unwinding")) {
		try {
			throws();
		} catch (const std::exception &) {
		}
	} else if (!strcmp(wanted, "catch")) {
		try {
			throw std::runtime_error("thrown");
		} catch (const std::exception &) {
			sink = open("/etc/passwd", FLAGS); // LEAK catch
		}
	} else if (!strcmp(wanted, "thread")) {
		std::thread(in_thread).join();
	} else if (!strcmp(wanted, "async")) {
		std::async(std::launch::async, [] {
			sink = open("/etc/passwd", FLAGS); // LEAK async
		}).get();
	} else if (!strcmp(wanted, "ifstream")) {
		stream();
	}
}

int main(int argc, char **argv)
{
	int status;
	pid_t pid;

	for (int i = 1; i < argc; i++)
		leak(argv[i]);
	pid = fork();
	if (pid == 0) {
		execl("./has", "has", nullptr);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}
