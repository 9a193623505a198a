// SPDX-License-Identifier: Apache-2.0
/* expression.c — text to postfix program by two stacks (Dijkstra's shunting yard), no recursion.
 *
 *   hold_ms <= 120000 and not on_hold    ──►  hold_ms 120000 <= on_hold not and
 *
 * The compiler keeps a stack of operators that wait for their right operand, and counts how deep
 * the stack of values will get; both are at most DEPTH_MAX, so evaluation needs no bounds checks
 * and no heap. A value is 64 bits and a flag for null. Operators that do not bind as the grammar
 * says (a comparison of a comparison, `not` inside a sum) are refused when they are pushed.
 *
 * THREADS   No static state but constants.
 * COST      Evaluation: one pass over at most TEXT_MAX_BYTES instructions, usually 3 to 10.
 */
#include "config/expression.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/memory.h"
#include "base/text.h"

#define DEPTH_MAX      64u
#define TEXT_MAX_BYTES 4096u

// clang-format off
/* X(CODE, name, value, null): how a name is read from an event. */
#define NAMES(X) \
    X(WAIT_MS,   "wait_ms",   event->wait_ms, false) \
    X(RING_MS,   "ring_ms",   event->ring_ms, false) \
    X(TALK_MS,   "talk_ms",   event->talk_ms, false) \
    X(HOLD_MS,   "hold_ms",   event->hold_ms, false) \
    X(ACW_MS,    "acw_ms",    event->acw_ms, false) \
    X(HANDLE_MS, "handle_ms", (int64_t)event->talk_ms + event->hold_ms + event->acw_ms, false) \
    X(HOLD_N,    "hold_n",    event->hold_n, false) \
    X(TRANSFERS, "transfers", event->transfers, false) \
    X(RATING,    "rating",    event->rating, event->rating < 0) \
    X(ON_HOLD,   "on_hold",   event->on_hold, false) \
    X(REV,       "rev",       event->rev, false) \
    X(ANSWERED,  "answered",  event->outcome == CM_OUTCOME_ANSWERED, false) \
    X(ABANDONED, "abandoned", event->outcome == CM_OUTCOME_ABANDONED, false)

/* X(CODE, text, precedence): higher binds tighter; NOT and NEG stand before their operand. */
#define OPERATORS(X) \
    X(OPEN, "(", 0) X(OR, "or", 1) X(AND, "and", 2) X(NOT, "not", 3) \
    X(EQ, "==", 4) X(NE, "!=", 4) X(LE, "<=", 4) X(GE, ">=", 4) X(LT, "<", 4) X(GT, ">", 4) \
    X(ADD, "+", 5) X(SUB, "-", 5) X(MUL, "*", 6) X(DIV, "/", 6) X(MOD, "%", 6) X(NEG, "-", 7)
// clang-format on

enum { PRECEDENCE_COMPARE = 4 };

#define X(code, name, value, null) NAME_##code,
enum { NAMES(X) NAME_COUNT };
#undef X
#define X(code, text, precedence) OP_##code,
enum { OPERATORS(X) OP_COUNT, OP_CONSTANT, OP_NAME };
#undef X

#define X(code, name, value, null) name,
static const char *const name_texts[] = {NAMES(X)};
#undef X
#define X(code, text, precedence) precedence,
static const uint8_t precedences[] = {OPERATORS(X)};
#undef X

struct instruction {
    uint8_t code;  /* OP_ */
    int64_t value; /* constant, or NAME_ */
};

struct cm_expression {
    uint32_t count;
    uint32_t depth; /* values on the stack at most */
    struct instruction at[];
};

struct compiler {
    const char *text;
    size_t len;
    size_t at; /* where the next token begins */
    struct cm_expression *program;
    uint32_t depth; /* values on the stack at this point of the program */
    uint32_t waiting_count;
    struct {
        uint8_t op;
        size_t at;
    } waiting[DEPTH_MAX];
    size_t mistake_at;
};

static bool is_word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int refuse(struct compiler *c, size_t at)
{
    c->mistake_at = at;
    return -CM_ERR_CONFIG;
}

static int emit(struct compiler *c, uint8_t code, int64_t value)
{
    c->program->at[c->program->count++] = (struct instruction){code, value};
    if (code == OP_CONSTANT || code == OP_NAME) {
        c->depth++;
    } else if (code != OP_NOT && code != OP_NEG) {
        c->depth--;
    }
    if (c->depth > c->program->depth) {
        c->program->depth = c->depth;
    }
    if (c->depth > DEPTH_MAX) {
        cm_fail(CM_ERR_CONFIG, "nested too deep, at most %u levels", DEPTH_MAX);
        return refuse(c, c->at);
    }
    return 0;
}

static int wait_for_operand(struct compiler *c, uint8_t op, size_t at)
{
    if (c->waiting_count == DEPTH_MAX) {
        cm_fail(CM_ERR_CONFIG, "nested too deep, at most %u levels", DEPTH_MAX);
        return refuse(c, at);
    }
    c->waiting[c->waiting_count].op = op;
    c->waiting[c->waiting_count].at = at;
    c->waiting_count++;
    return 0;
}

/* Emits the waiting operators that bind at least as tight as `precedence`. */
static int settle(struct compiler *c, uint8_t precedence)
{
    while (c->waiting_count > 0) {
        uint8_t op = c->waiting[c->waiting_count - 1].op;
        if (op == OP_OPEN || precedences[op] < precedence) {
            return 0;
        }
        c->waiting_count--;
        int rc = emit(c, op, 0);
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

static size_t word_len(const struct compiler *c)
{
    size_t end = c->at;
    while (end < c->len && is_word_byte(c->text[end])) {
        end++;
    }
    return end - c->at;
}

static bool word_is(const struct compiler *c, size_t len, const char *word)
{
    return strlen(word) == len && memcmp(c->text + c->at, word, len) == 0;
}

static int compile_number(struct compiler *c)
{
    size_t at = c->at;
    size_t len = word_len(c);
    uint64_t digits = 0;
    int64_t value = 0;
    if (cm_parse_u64(c->text + at, len, &digits) && digits <= INT64_MAX) {
        value = (int64_t)digits;
    } else if (!cm_parse_duration(c->text + at, len, &value)) {
        cm_fail(CM_ERR_CONFIG, "`%.*s` is neither a 64-bit integer nor a duration such as 20s",
                (int)(len > 40 ? 40 : len), c->text + at);
        return refuse(c, at);
    }
    c->at += len;
    return emit(c, OP_CONSTANT, value);
}

static int refuse_name(struct compiler *c, size_t len)
{
    char word[64];
    size_t kept = len < sizeof(word) - 1 ? len : sizeof(word) - 1;
    memcpy(word, c->text + c->at, kept);
    word[kept] = '\0';
    const char *near = cm_nearest(word, name_texts, NAME_COUNT);
    if (near != NULL) {
        cm_fail(CM_ERR_CONFIG, "unknown name `%s`, did you mean `%s`?", word, near);
    } else {
        cm_fail(CM_ERR_CONFIG, "unknown name `%s`", word);
    }
    return refuse(c, c->at);
}

/* `not` stands only where the grammar has it: first, or after "(", and, or, not. */
static int compile_not(struct compiler *c, size_t len)
{
    uint8_t before = c->waiting_count == 0 ? (uint8_t)OP_OPEN : c->waiting[c->waiting_count - 1].op;
    if (precedences[before] > precedences[OP_NOT]) {
        cm_fail(CM_ERR_CONFIG, "`not` needs parentheses here");
        return refuse(c, c->at);
    }
    int rc = wait_for_operand(c, OP_NOT, c->at);
    c->at += len;
    return rc;
}

/* A word where an operand is expected. *complete: it was one. */
static int compile_word(struct compiler *c, bool *complete)
{
    size_t len = word_len(c);
    *complete = true;
    if (word_is(c, len, "not")) {
        *complete = false;
        return compile_not(c, len);
    }
    if (word_is(c, len, "true") || word_is(c, len, "false")) {
        bool value = word_is(c, len, "true");
        c->at += len;
        return emit(c, OP_CONSTANT, value);
    }
    if (word_is(c, len, "and") || word_is(c, len, "or")) {
        cm_fail(CM_ERR_CONFIG, "a value is expected before `%.*s`", (int)len, c->text + c->at);
        return refuse(c, c->at);
    }
    for (int i = 0; i < NAME_COUNT; i++) {
        if (word_is(c, len, name_texts[i])) {
            c->at += len;
            return emit(c, OP_NAME, i);
        }
    }
    return refuse_name(c, len);
}

static int compile_operand(struct compiler *c, bool *complete)
{
    *complete = false;
    if (c->at == c->len) {
        cm_fail(CM_ERR_CONFIG, "a value is expected at the end");
        return refuse(c, c->at);
    }
    char first = c->text[c->at];
    if (first == '(' || first == '-') {
        int rc = wait_for_operand(c, first == '(' ? OP_OPEN : OP_NEG, c->at);
        c->at++;
        return rc;
    }
    if (is_digit(first)) {
        *complete = true;
        return compile_number(c);
    }
    if (is_word_byte(first)) {
        return compile_word(c, complete);
    }
    cm_fail(CM_ERR_CONFIG, "a value is expected, not `%c`%s",
            first >= 0x20 && first < 0x7f ? first : '?', first == '!' ? "; write `not`" : "");
    return refuse(c, c->at);
}

/* The operator at this place, OP_COUNT for none; *len its bytes. */
static uint8_t find_binary(const struct compiler *c, size_t *len)
{
#define X(code, text, precedence) text,
    static const char *const texts[] = {OPERATORS(X)};
#undef X
    for (unsigned op = OP_OR; op < OP_NEG; op++) {
        size_t n = strlen(texts[op]);
        if (op == OP_NOT || n > c->len - c->at || memcmp(c->text + c->at, texts[op], n) != 0) {
            continue;
        }
        if (is_word_byte(texts[op][0]) && word_len(c) != n) {
            continue;
        }
        *len = n;
        return (uint8_t)op;
    }
    return OP_COUNT;
}

static int compile_close(struct compiler *c)
{
    int rc = settle(c, 1);
    if (rc != 0) {
        return rc;
    }
    if (c->waiting_count == 0) {
        cm_fail(CM_ERR_CONFIG, "`)` without `(`");
        return refuse(c, c->at);
    }
    c->waiting_count--;
    c->at++;
    return 0;
}

/* What follows a complete operand. *complete stays true after ")". */
static int compile_operator(struct compiler *c, bool *complete)
{
    if (c->text[c->at] == ')') {
        return compile_close(c);
    }
    size_t len = 0;
    uint8_t op = find_binary(c, &len);
    if (op == OP_COUNT) {
        char first = c->text[c->at];
        const char *hint = first == '='   ? "; write `==` to compare"
                           : first == '&' ? "; write `and`"
                           : first == '|' ? "; write `or`"
                                          : "";
        cm_fail(CM_ERR_CONFIG, "an operator is expected%s", hint);
        return refuse(c, c->at);
    }
    bool compares = precedences[op] == PRECEDENCE_COMPARE;
    int rc = settle(c, compares ? PRECEDENCE_COMPARE + 1 : precedences[op]);
    if (rc != 0) {
        return rc;
    }
    if (compares && c->waiting_count > 0 &&
        precedences[c->waiting[c->waiting_count - 1].op] == PRECEDENCE_COMPARE) {
        cm_fail(CM_ERR_CONFIG, "comparisons do not chain; join them with `and`");
        return refuse(c, c->at);
    }
    rc = wait_for_operand(c, op, c->at);
    c->at += len;
    *complete = false;
    return rc;
}

static int compile(struct compiler *c)
{
    bool complete = false; /* an operand stands before this place */
    for (;;) {
        while (c->at < c->len && (c->text[c->at] == ' ' || c->text[c->at] == '\t' ||
                                  c->text[c->at] == '\n' || c->text[c->at] == '\r')) {
            c->at++;
        }
        if (complete && c->at == c->len) {
            break;
        }
        int rc = complete ? compile_operator(c, &complete) : compile_operand(c, &complete);
        if (rc != 0) {
            return rc;
        }
    }
    int rc = settle(c, 1);
    if (rc == 0 && c->waiting_count > 0) {
        cm_fail(CM_ERR_CONFIG, "`(` is not closed");
        rc = refuse(c, c->waiting[c->waiting_count - 1].at);
    }
    return rc;
}

int cm_expression_compile(const char *text, size_t len, struct cm_expression **out,
                          uint32_t *column)
{
    *out = NULL;
    *column = 1;
    if (len > TEXT_MAX_BYTES) {
        return cm_fail(CM_ERR_CONFIG, "longer than %u bytes", TEXT_MAX_BYTES);
    }
    /* Every instruction comes from at least one byte of the text. */
    size_t bytes = sizeof(struct cm_expression) + (len + 1) * sizeof(struct instruction);
    struct compiler c = {.text = text, .len = len, .program = cm_alloc(1, bytes)};
    int rc = compile(&c);
    if (rc != 0) {
        *column = (uint32_t)c.mistake_at + 1;
        free(c.program);
        return rc;
    }
    CM_ASSERT(c.depth == 1);
    *out = c.program;
    return 0;
}

void cm_expression_free(struct cm_expression *expression)
{
    free(expression);
}

struct operand {
    bool null;
    int64_t value;
};

static struct operand read_name(const struct cm_event *event, int64_t name)
{
    switch (name) {
#define X(code, text, v, n)                                                                        \
    case NAME_##code:                                                                              \
        return (struct operand){(n), (v)};
        NAMES(X)
#undef X
    default:
        cm_assert_failed("a name outside the table", __FILE__, __LINE__);
    }
}

static int64_t saturate(bool negative)
{
    return negative ? INT64_MIN : INT64_MAX;
}

static struct operand arithmetic(uint8_t op, int64_t a, int64_t b)
{
    int64_t value = 0;
    switch (op) {
    case OP_ADD:
        value = __builtin_add_overflow(a, b, &value) ? saturate(a < 0) : value;
        break;
    case OP_SUB:
        value = __builtin_sub_overflow(a, b, &value) ? saturate(a < 0) : value;
        break;
    case OP_MUL:
        value = __builtin_mul_overflow(a, b, &value) ? saturate((a < 0) != (b < 0)) : value;
        break;
    default: /* DIV, MOD; INT64_MIN / -1 is the one quotient that does not fit */
        if (b == 0) {
            return (struct operand){true, 0};
        }
        if (b == -1) {
            bool least = a == INT64_MIN;
            value = op == OP_MOD ? 0 : least ? INT64_MAX : -a;
        } else {
            value = op == OP_MOD ? a % b : a / b;
        }
        break;
    }
    return (struct operand){false, value};
}

static bool compare(uint8_t op, int64_t a, int64_t b)
{
    switch (op) {
    case OP_EQ:
        return a == b;
    case OP_NE:
        return a != b;
    case OP_LE:
        return a <= b;
    case OP_GE:
        return a >= b;
    case OP_LT:
        return a < b;
    default:
        return a > b;
    }
}

/* Kleene: a side that decides alone decides, whatever the other is. */
static struct operand join(uint8_t op, struct operand a, struct operand b)
{
    bool decides = op == OP_OR;
    if ((!a.null && (a.value != 0) == decides) || (!b.null && (b.value != 0) == decides)) {
        return (struct operand){false, decides};
    }
    return (struct operand){a.null || b.null, !decides};
}

static struct operand apply(uint8_t op, struct operand a, struct operand b)
{
    if (op == OP_AND || op == OP_OR) {
        return join(op, a, b);
    }
    if (a.null || b.null) {
        return (struct operand){true, 0};
    }
    if (precedences[op] == PRECEDENCE_COMPARE) {
        return (struct operand){false, compare(op, a.value, b.value)};
    }
    return arithmetic(op, a.value, b.value);
}

int cm_expression_eval(const struct cm_expression *expression, const struct cm_event *event)
{
    struct operand stack[DEPTH_MAX];
    uint32_t depth = 0;
    memset(stack, 0, expression->depth * sizeof(stack[0]));
    for (uint32_t i = 0; i < expression->count; i++) {
        const struct instruction *in = &expression->at[i];
        switch (in->code) {
        case OP_CONSTANT:
            stack[depth++] = (struct operand){false, in->value};
            break;
        case OP_NAME:
            stack[depth++] = read_name(event, in->value);
            break;
        case OP_NOT:
            stack[depth - 1].value = stack[depth - 1].value == 0;
            break;
        case OP_NEG:
            if (!stack[depth - 1].null) {
                stack[depth - 1] = arithmetic(OP_SUB, 0, stack[depth - 1].value);
            }
            break;
        default:
            stack[depth - 2] = apply(in->code, stack[depth - 2], stack[depth - 1]);
            depth--;
            break;
        }
    }
    return stack[0].null ? -1 : stack[0].value != 0;
}
