/* Runs a fuzz target over files and folders of files, and over cuts of each: no fuzzer is needed for that. */
#include "base/bytes.h"
#include "base/err.h"
#include "base/file.h"

#include <dirent.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { FILE_MAX = 1 << 20, CUTS = 64 };

static unsigned files;

static void run_file(const char *path)
{
	struct buf bytes = buf_make(FILE_MAX);
	struct err e;
	char text[ERR_TEXT_MAX];

	if (!file_read(path, &bytes, &e)) {
		(void)fprintf(stderr, "%s\n", err_text(&e, text));
		exit(1);
	}
	files++;
	(void)LLVMFuzzerTestOneInput((const uint8_t *)buf_cstr(&bytes), bytes.len);
	for (size_t i = 0; i < CUTS; i++) {
		/* a copy of its exact size, so that a sanitizer sees a read behind its end */
		size_t len = bytes.len * i / CUTS;
		uint8_t *cut = malloc(len ? len : 1);

		if (!cut)
			abort();
		memcpy(cut, bytes.at, len);
		(void)LLVMFuzzerTestOneInput(cut, len);
		free(cut);
	}
	buf_release(&bytes);
}

int main(int argc, char **argv)
{
	char path[PATH_TEXT_MAX];
	struct dirent *entry;
	struct err e;

	for (int i = 1; i < argc; i++) {
		DIR *dir = opendir(argv[i]);

		while (dir && (entry = readdir(dir)) != NULL)
			if (entry->d_name[0] != '.' && file_path(path, argv[i], entry->d_name, &e))
				run_file(path);
		if (dir)
			closedir(dir);
		else
			run_file(argv[i]);
	}
	return files ? 0 : 1;
}
