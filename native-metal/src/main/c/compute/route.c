/* Which experts a row goes to, as Router.java describes it: in float32 from float rows, whatever the precision. */
#include "product.h"
#include "work.h"

struct router {
  struct step *s;
  const struct op *op;
  float *scores; /* [T, E] */
  char *scratch; /* [threads] */
  int64_t scratch_bytes, rows_a_task;
};

/** What the choice of one row works with, each [E]. */
struct routed {
  float *score, *choice; /* as a weight, and for the choice */
  float *groups;
  bool *taken, *kept;    /* experts that can no longer be chosen; groups */
};

/** Index of the greatest value that is not taken, the first of a tie; -1 if all are taken. */
static int32_t greatest_left(const float *values, const bool *taken, int32_t count) {
  int32_t best = -1;
  for (int32_t i = 0; i < count; i++) {
    if (!taken[i] && (best < 0 || values[i] > values[best])) {
      best = i;
    }
  }
  return best;
}

static void route_softmax(float *x, int32_t count) {
  float greatest = -INFINITY;
  double sum = 0;
  for (int32_t i = 0; i < count; i++) {
    greatest = x[i] > greatest ? x[i] : greatest;
  }
  for (int32_t i = 0; i < count; i++) {
    x[i] = (float)exp(x[i] - greatest);
    sum += x[i];
  }
  for (int32_t i = 0; i < count; i++) {
    x[i] /= (float)sum;
  }
}

/** The greatest, or the sum of the two greatest. */
static float group_score(const float *choice, int32_t size, bool greatest_only) {
  float first = -INFINITY, second = -INFINITY;
  for (int32_t i = 0; i < size; i++) {
    if (choice[i] > first) {
      second = first;
      first = choice[i];
    } else if (choice[i] > second) {
      second = choice[i];
    }
  }
  return greatest_only || size == 1 ? first : first + second;
}

/** Experts of groups that are not among the best are taken; they can only be forced. */
static void drop_groups(const struct op *op, const struct routed *r) {
  int32_t groups = op->route.groups, size = op->route.experts / groups;
  memset(r->taken, 0, (size_t)op->route.experts * sizeof *r->taken);
  if (groups == 1) {
    return;
  }
  for (int32_t g = 0; g < groups; g++) {
    r->groups[g] = group_score(r->choice + g * size, size, op->route.group_max);
    r->kept[g] = false;
  }
  for (int32_t n = 0; n < op->route.kept; n++) {
    r->kept[greatest_left(r->groups, r->kept, groups)] = true;
  }
  for (int32_t e = 0; e < op->route.experts; e++) {
    r->taken[e] = !r->kept[e / size];
  }
}

static bool is_among(int32_t expert, const int32_t *experts, int32_t count) {
  for (int32_t i = 0; i < count; i++) {
    if (experts[i] == expert) {
      return true;
    }
  }
  return false;
}

static int32_t chosen_count(const struct op *op, const struct layer_edit *edit) {
  int32_t most = edit && edit->top_k >= 0 ? edit->top_k : op->route.top_k;
  return most < op->route.experts ? most : op->route.experts;
}

/** Banned experts are never chosen; forced ones always, before the best of the others. */
static void force_and_ban(const struct op *op, const struct routed *r, const struct layer_edit *edit, int32_t most, struct choice *choice) {
  for (int32_t i = 0; i < edit->ban_count; i++) {
    if (edit->ban[i] >= 0 && edit->ban[i] < op->route.experts) {
      r->taken[edit->ban[i]] = true;
    }
  }
  for (int32_t i = 0; i < edit->force_count && choice->count < most; i++) {
    int32_t expert = edit->force[i];
    bool again = is_among(expert, edit->force, i), banned = is_among(expert, edit->ban, edit->ban_count);
    if (!again && !banned && expert >= 0 && expert < op->route.experts) {
      r->taken[expert] = true;
      choice->experts[choice->count++] = (int16_t)expert;
    }
  }
}

/** Whether expert a comes before b: by descending choice score, NaN first, then by index. */
static bool comes_before(const float *choice, int32_t a, int32_t b) {
  float x = choice[a], y = choice[b];
  bool x_nan = x != x, y_nan = y != y;
  return x_nan || y_nan ? x_nan && (!y_nan || a < b) : x > y || (x == y && a < b);
}

static void sort_choice(const float *by, struct choice *choice) {
  for (int32_t i = 1; i < choice->count; i++) {
    int16_t expert = choice->experts[i];
    int32_t j = i;
    for (; j > 0 && comes_before(by, expert, choice->experts[j - 1]); j--) {
      choice->experts[j] = choice->experts[j - 1];
    }
    choice->experts[j] = expert;
  }
}

static void route_row(const struct op *op, const struct layer_edit *edit, const struct routed *r, struct choice *choice) {
  int32_t experts = op->route.experts, most = chosen_count(op, edit);
  if (op->route.softmax) {
    route_softmax(r->score, experts);
  } else {
    for (int32_t e = 0; e < experts; e++) {
      r->score[e] = (float)(1 / (1 + exp(-(double)r->score[e])));
    }
  }
  for (int32_t e = 0; e < experts; e++) {
    r->choice[e] = op->route.correction ? r->score[e] + op->route.correction[e] : r->score[e];
  }
  drop_groups(op, r);
  choice->count = 0;
  if (edit) {
    force_and_ban(op, r, edit, most, choice);
  }
  while (choice->count < most) {
    int32_t best = greatest_left(r->choice, r->taken, experts);
    if (best < 0) {
      break; /* fewer experts are allowed than asked for */
    }
    r->taken[best] = true;
    choice->experts[choice->count++] = (int16_t)best;
  }
  sort_choice(r->choice, choice);
  float sum = 0, factor = op->route.scale * (edit ? edit->scale : 1);
  for (int32_t k = 0; k < choice->count; k++) {
    choice->weights[k] = r->score[choice->experts[k]];
    sum += choice->weights[k];
  }
  for (int32_t k = 0; k < choice->count; k++) {
    choice->weights[k] = (op->route.normalize ? choice->weights[k] / (sum + 1e-20f) : choice->weights[k]) * factor;
    if (op->route.expert_scale) {
      choice->weights[k] *= op->route.expert_scale[choice->experts[k]];
    }
  }
}

static int64_t routed_bytes(const struct op *op) { return 4 * padded(op->route.experts * (int64_t)sizeof(float)); }

static void route_task(void *context, int64_t task, int thread) {
  const struct router *router = context;
  struct step *s = router->s;
  const struct op *op = router->op;
  int64_t experts = op->route.experts, piece = padded(experts * (int64_t)sizeof(float));
  char *scratch = router->scratch + thread * router->scratch_bytes;
  struct routed r = {.choice = (float *)scratch, .groups = (float *)(scratch + piece), .taken = (bool *)(scratch + 2 * piece),
      .kept = (bool *)(scratch + 3 * piece)};
  int64_t end = (task + 1) * router->rows_a_task < s->rows ? (task + 1) * router->rows_a_task : s->rows;
  for (int64_t t = task * router->rows_a_task; t < end; t++) {
    r.score = router->scores + t * experts;
    route_row(op, session_edit(s->session[t], op->route.layer), &r, s->choices + (int64_t)op->route.index * s->rows + t);
  }
}

/** Places for as many experts as each row may have. */
static void choice_memory(struct step *s, const struct op *op) {
  struct choice *choices = s->choices + (int64_t)op->route.index * s->rows;
  int64_t count = 0;
  for (int32_t t = 0; t < s->rows; t++) {
    count += chosen_count(op, session_edit(s->session[t], op->route.layer));
  }
  int16_t *experts = step_memory(s, count * (int64_t)sizeof *experts);
  float *weights = step_memory(s, count * (int64_t)sizeof *weights);
  for (int32_t t = 0; t < s->rows; t++) {
    int32_t most = chosen_count(op, session_edit(s->session[t], op->route.layer));
    choices[t] = (struct choice){0, experts, weights};
    experts += most;
    weights += most;
  }
}

static void op_route(struct step *s, const struct op *op) {
  int64_t experts = op->route.experts;
  struct view in = op->route.in;
  struct router router = {.s = s, .op = op, .scores = op_memory(s, s->rows * experts * (int64_t)sizeof(float))};
  struct operand x = {.rows = s->rows, .columns = in.width, .x = view_row(s, in, 0), .stride = view_stride(s, in)}; /* floats */
  struct product p = product_of(&op->route.gate, 0, &x, router.scores, experts);
  products_run(s, &p, 1);
  choice_memory(s, op);
  router.scratch_bytes = routed_bytes(op);
  router.scratch = op_memory(s, thread_count(s) * router.scratch_bytes);
  int64_t cost = experts * (10 + 2 * op->route.top_k); /* an exponential each, and a look at all for each choice */
  router.rows_a_task = SMALL_WORK / cost + 1;
  run(s, s->rows * cost, (s->rows + router.rows_a_task - 1) / router.rows_a_task, route_task, &router);
  s->routes = op->route.index + 1;
}
