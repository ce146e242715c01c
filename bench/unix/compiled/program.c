/* SPDX-License-Identifier: MIT
 * What the metric c_compile compiles: words of a text, counted and sorted. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct word {
	struct word *next;
	unsigned long count;
	char text[];
};

static struct word *table[1024];

static unsigned long hash(const char *text)
{
	unsigned long sum = 5381;

	while (*text)
		sum = sum * 33 + (unsigned char)*text++;
	return sum;
}

static void count(const char *text)
{
	struct word **at = &table[hash(text) % 1024];

	for (; *at; at = &(*at)->next)
		if (!strcmp((*at)->text, text)) {
			(*at)->count++;
			return;
		}
	*at = malloc(sizeof(**at) + strlen(text) + 1);
	if (!*at)
		exit(1);
	(*at)->next = NULL;
	(*at)->count = 1;
	strcpy((*at)->text, text);
}

static int compare(const void *a, const void *b)
{
	const struct word *x = *(struct word *const *)a, *y = *(struct word *const *)b;

	return x->count != y->count ? (x->count < y->count) - (x->count > y->count)
				    : strcmp(x->text, y->text);
}

int main(void)
{
	char text[256];
	size_t used = 0, words = 0;
	int c;

	while ((c = getchar()) != EOF || used) {
		if (isalpha(c) && used < sizeof(text) - 1) {
			text[used++] = (char)tolower(c);
		} else if (used) {
			text[used] = 0;
			count(text);
			used = 0;
		}
		if (c == EOF)
			break;
	}
	for (int i = 0; i < 1024; i++)
		for (struct word *w = table[i]; w; w = w->next)
			words++;
	struct word **all = calloc(words + 1, sizeof(*all));

	if (!all)
		return 1;
	words = 0;
	for (int i = 0; i < 1024; i++)
		for (struct word *w = table[i]; w; w = w->next)
			all[words++] = w;
	qsort(all, words, sizeof(*all), compare);
	for (size_t i = 0; i < words; i++)
		printf("%7lu %s\n", all[i]->count, all[i]->text);
	return 0;
}
