/* Local descriptors of a luma plane, in arithmetic of whole numbers throughout: docs/descriptors.md says each step, and
 * web/hashing/descriptors.js gives the same bytes. Where doubles are used they hold whole numbers below 2^53, or the
 * quotient of two such, rounded down; every machine does that alike.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "_descriptors_pattern.h"

enum {
    FRAME = 512,       /* pixels of the frame's longer side */
    MOST_SIDE = 512,   /* of the plane that is described */
    LEVELS = 12,
    BITS = 256,
    BYTES = BITS / 8,
    REACH = 15,        /* radius of the patch, in pixels of its level */
    MARGIN = REACH + 1,
    TENT = 4,          /* the smoothing's weights go from 1 up to TENT + 1 and down again */
    WINDOW = 3,        /* a corner is seen in 2 * WINDOW + 1 pixels each way */
    APART = 7,         /* corners of one level are more than so many pixels apart, across or down */
    WEAKEST = 5000,    /* response of the faintest corner */
    GRID = 4,          /* a person's picture has GRID x GRID cells, which take turns */
    UPLOAD_GRID = 8,   /* and an upload more of them */
    LEAST_ONES = 48,
    SHADES = 50,       /* a drawn patch's one shade is as wide as a fiftieth of what the patch spans */
    DRAWN = 4,         /* and fills more than a quarter of the patch */
    WEIGHT_BITS = 14,
    FIRST = 2,         /* levels of a person's descriptors */
    LAST = 8,
    POOL = 64,         /* corners of each level among which they are chosen */
    CHOSEN = 64,
    SPREAD = 8,        /* pixels of the frame that two of them are apart */
    MOST_UPLOAD = 4096
};

static const long long MOST_PICTURE = 1LL << 20; /* pixels of a picture's side */

typedef struct {
    int width;
    int height;
    uint8_t *pixels;
    uint16_t *smooth;
    int32_t *response;
} Level;

typedef struct {
    int32_t response;
    int32_t rank;
    int16_t x, y; /* of its level */
    int16_t place[4];
    uint8_t value[BYTES];
    uint8_t mirrored[BYTES];
} Corner;

typedef struct {
    const uint8_t *bytes;
    int width;
    int height;
} Plane;

/* What one call works in; all of it for the largest level. */
typedef struct {
    uint8_t *narrow; /* the plane after the first of the two resizes */
    uint8_t *pixels;
    uint16_t *across;
    uint16_t *smooth;
    int32_t *response;
    int32_t *rows;    /* of the corner measure */
    int *first;       /* taps */
    int *count;
    int32_t *weight;
    Corner *found;
    Corner *kept;
} Room;

/* The pattern turned by each angle; and that of the mirrored picture. */
static int8_t turned[ANGLES][BITS][4];
static int8_t mirrored[ANGLES][BITS][4];
static int extent[REACH + 1]; /* pixels of the disc to each side of its middle, by row */

static int8_t rounded(int sum)
{
    /* Moved up, so that what is divided is never below nought. */
    return (int8_t)((sum + (1 << 13) + (1 << 20)) / (1 << 14) - (1 << 6));
}

static void fill_tables(void)
{
    for (int angle = 0; angle < ANGLES; angle++) {
        const int c = DIRECTION[angle][0], s = DIRECTION[angle][1];
        for (int bit = 0; bit < BITS; bit++) {
            for (int end = 0; end < 4; end += 2) {
                const int x = PATTERN[bit][end], y = PATTERN[bit][end + 1];
                turned[angle][bit][end] = rounded(x * c - y * s);
                turned[angle][bit][end + 1] = rounded(x * s + y * c);
                mirrored[angle][bit][end] = rounded(x * c + y * s);
                mirrored[angle][bit][end + 1] = rounded(x * s - y * c);
            }
        }
    }
    for (int y = 0; y <= REACH; y++) {
        extent[y] = 0;
        while ((extent[y] + 1) * (extent[y] + 1) + y * y <= REACH * (REACH + 1)) {
            extent[y]++;
        }
    }
}

static int at_edge(int i, int length)
{
    return i < 0 ? 0 : i < length ? i : length - 1;
}

/* Which of `inputs` samples make each of `outputs`, and by how much of 1 << WEIGHT_BITS each counts: a triangle as wide
 * as the reduction asks. Distances are counted in halves of an output's share of a sample, so that all are whole. */
static void fill_taps(int inputs, int outputs, Room *room)
{
    const int reach = 2 * (inputs > outputs ? inputs : outputs);
    int32_t *weight = room->weight;

    for (int o = 0; o < outputs; o++) {
        const int centre = (2 * o + 1) * inputs;
        int first = centre - reach < 0 ? 0 : (centre - reach) / (2 * outputs);
        int64_t total = 0;
        int count = 0;
        while ((2 * first + 1) * outputs <= centre - reach) {
            first++;
        }
        for (int i = first; i < inputs && (2 * i + 1) * outputs < centre + reach; i++) {
            total += reach - abs((2 * i + 1) * outputs - centre);
            count++;
        }
        for (int k = 0; k < count; k++) {
            const int64_t share = reach - abs((2 * (first + k) + 1) * outputs - centre);
            weight[k] = (int32_t)((2 * share * (1 << WEIGHT_BITS) + total) / (2 * total));
        }
        room->first[o] = first;
        room->count[o] = count;
        weight += count;
    }
}

/* The plane made as large as the level: first its columns, then its rows. */
static void resize(const Plane *plane, const Level *level, Room *room)
{
    const int width = plane->width;
    const int32_t *weight = room->weight;

    fill_taps(plane->height, level->height, room);
    for (int y = 0; y < level->height; y++) {
        int32_t sum[MOST_SIDE];
        for (int x = 0; x < width; x++) {
            sum[x] = 1 << (WEIGHT_BITS - 1);
        }
        for (int k = 0; k < room->count[y]; k++) {
            const uint8_t *row = plane->bytes + (ptrdiff_t)(room->first[y] + k) * width;
            const int16_t by = (int16_t)weight[k];
            for (int x = 0; x < width; x++) {
                sum[x] += (int16_t)row[x] * by;
            }
        }
        weight += room->count[y];
        for (int x = 0; x < width; x++) {
            room->narrow[(ptrdiff_t)y * width + x] = (uint8_t)(sum[x] >> WEIGHT_BITS);
        }
    }
    fill_taps(width, level->width, room);
    for (int y = 0; y < level->height; y++) {
        const uint8_t *row = room->narrow + (ptrdiff_t)y * width;
        uint8_t *out = level->pixels + (ptrdiff_t)y * level->width;
        weight = room->weight;
        for (int x = 0; x < level->width; x++) {
            const uint8_t *from = row + room->first[x];
            int32_t sum = 1 << (WEIGHT_BITS - 1);
            for (int k = 0; k < room->count[x]; k++) {
                sum += from[k] * weight[k];
            }
            out[x] = (uint8_t)(sum >> WEIGHT_BITS);
            weight += room->count[x];
        }
    }
}

/* The pixels weighed with a tent each way, edges repeated. Sums of at most 5^4 * 255, kept as thirds of them. */
static void smooth(const Level *level, Room *room)
{
    const int width = level->width, height = level->height;
    uint16_t row[FRAME + 2 * TENT];
    uint32_t sum[FRAME];

    for (int y = 0; y < height; y++) {
        uint16_t *out = room->across + (ptrdiff_t)y * width;
        for (int x = -TENT; x < width + TENT; x++) {
            row[x + TENT] = level->pixels[(ptrdiff_t)y * width + at_edge(x, width)];
        }
        memset(out, 0, (size_t)width * sizeof *out);
        for (int k = 0; k <= 2 * TENT; k++) {
            const uint16_t by = (uint16_t)(TENT + 1 - abs(k - TENT));
            for (int x = 0; x < width; x++) {
                out[x] = (uint16_t)(out[x] + by * row[x + k]);
            }
        }
    }
    for (int y = 0; y < height; y++) {
        uint16_t *out = level->smooth + (ptrdiff_t)y * width;
        memset(sum, 0, sizeof sum);
        for (int k = -TENT; k <= TENT; k++) {
            const uint16_t *from = room->across + (ptrdiff_t)at_edge(y + k, height) * width;
            const uint16_t by = (uint16_t)(TENT + 1 - abs(k));
            for (int x = 0; x < width; x++) {
                sum[x] += (uint32_t)from[x] * by;
            }
        }
        for (int x = 0; x < width; x++) {
            out[x] = (uint16_t)(sum[x] / 3);
        }
    }
}

/* The products of the slopes across and down at each pixel of a row, put in place of those of the row that leaves the
 * window; the sums by column follow. */
static void slide(const uint8_t *restrict above, const uint8_t *restrict here, const uint8_t *restrict below, int width,
                  int32_t *restrict xx, int32_t *restrict xy, int32_t *restrict yy, int32_t *restrict all_xx,
                  int32_t *restrict all_xy, int32_t *restrict all_yy)
{
    for (int x = 1; x < width - 1; x++) {
        const int16_t across = (int16_t)(above[x + 1] - above[x - 1] + 2 * (here[x + 1] - here[x - 1]) + below[x + 1] -
                                         below[x - 1]);
        const int16_t down = (int16_t)(below[x - 1] - above[x - 1] + 2 * (below[x] - above[x]) + below[x + 1] -
                                       above[x + 1]);
        const int32_t square_x = across * across, both = across * down, square_y = down * down;
        all_xx[x] += square_x - xx[x];
        all_xy[x] += both - xy[x];
        all_yy[x] += square_y - yy[x];
        xx[x] = square_x;
        xy[x] = both;
        yy[x] = square_y;
    }
}

static int32_t across_window(const int32_t *middle)
{
    return middle[-3] + middle[-2] + middle[-1] + middle[0] + middle[1] + middle[2] + middle[3];
}

/* With the sums a, b, c of the products in the window: (a * c - b * b) / (a + c + 1), rounded down. */
static void measure(const int32_t *restrict xx, const int32_t *restrict xy, const int32_t *restrict yy, int width,
                    int32_t *restrict response)
{
    for (int x = MARGIN; x < width - MARGIN; x++) {
        const double a = across_window(xx + x), b = across_window(xy + x), c = across_window(yy + x);
        response[x] = (int32_t)((a * c - b * b) / (a + c + 1.0));
    }
}

/* How much of a corner each pixel is; nought where the patch would leave the level. */
static void respond(const Level *level, Room *room)
{
    enum { TALL = 2 * WINDOW + 1 };
    const int width = level->width, height = level->height;
    int32_t *columns = room->rows + 3 * TALL * FRAME;

    memset(room->rows, 0, (size_t)(3 * (TALL + 1) * FRAME) * sizeof *room->rows);
    memset(level->response, 0, (size_t)width * (size_t)height * sizeof *level->response);
    for (int y = 1; y < height - 1; y++) {
        int32_t *row = room->rows + (ptrdiff_t)(3 * (y % TALL)) * FRAME;
        const uint8_t *here = level->pixels + (ptrdiff_t)y * width;
        const int middle = y - WINDOW;
        slide(here - width, here, here + width, width, row, row + FRAME, row + 2 * FRAME, columns, columns + FRAME,
              columns + 2 * FRAME);
        if (middle >= MARGIN && middle < height - MARGIN) {
            measure(columns, columns + FRAME, columns + 2 * FRAME, width, level->response + (ptrdiff_t)middle * width);
        }
    }
}

/* No other pixel nearby responds more; of equal ones the first, row by row. */
static int stands_out(const int32_t *here, int width)
{
    for (int j = -APART; j <= APART; j++) {
        for (int i = -APART; i <= APART; i++) {
            const int32_t other = here[(ptrdiff_t)j * width + i];
            if (other > *here || (other == *here && (j < 0 || (j == 0 && i < 0)))) {
                return 0;
            }
        }
    }
    return 1;
}

/* The bin that the patch's brighter side points to: the direction along which its moments reach farthest. */
static int angle_of(const Level *level, int x, int y)
{
    int32_t across = 0, down = 0;
    int best = 0;
    int64_t farthest = INT64_MIN;

    for (int j = -REACH; j <= REACH; j++) {
        const uint8_t *row = level->pixels + (ptrdiff_t)(y + j) * level->width + x;
        int32_t sum = 0;
        for (int i = -extent[abs(j)]; i <= extent[abs(j)]; i++) {
            sum += row[i];
            across += i * row[i];
        }
        down += j * sum;
    }
    for (int angle = 0; angle < ANGLES; angle++) {
        const int64_t far = (int64_t)across * DIRECTION[angle][0] + (int64_t)down * DIRECTION[angle][1];
        if (far > farthest) {
            farthest = far;
            best = angle;
        }
    }
    return best;
}

/* Whether one shade, give or take, fills much of a patch: letters, lines and logos lie on a ground of one shade, while what
 * was photographed changes from pixel to pixel. How wide a shade is grows with what the patch spans, so that a dark
 * photograph's patches are no different. */
static int is_drawn(const Level *level, int x, int y)
{
    int counts[256] = {0}, pixels = 0, low = 255, high = 0, within = 0, most = 0;

    for (int j = -REACH; j <= REACH; j++) {
        const uint8_t *row = level->pixels + (ptrdiff_t)(y + j) * level->width + x;
        for (int i = -extent[abs(j)]; i <= extent[abs(j)]; i++) {
            low = row[i] < low ? row[i] : low;
            high = row[i] > high ? row[i] : high;
            counts[row[i]]++;
            pixels++;
        }
    }
    const int wide = 1 + (high - low) / SHADES;
    for (int shade = low; shade <= high; shade++) {
        within += counts[shade] - (shade - wide >= low ? counts[shade - wide] : 0);
        most = within > most ? within : most;
    }
    return DRAWN * most > pixels;
}

static void compare(const Level *level, int x, int y, int8_t tests[BITS][4], uint8_t value[BYTES])
{
    const ptrdiff_t width = level->width;
    const uint16_t *middle = level->smooth + y * width + x;

    for (int byte = 0; byte < BYTES; byte++) {
        unsigned bits = 0;
        for (int bit = 0; bit < 8; bit++) {
            const int8_t *test = tests[8 * byte + bit];
            bits = 2 * bits + (middle[test[1] * width + test[0]] < middle[test[3] * width + test[2]]);
        }
        value[byte] = (uint8_t)bits;
    }
}

static int ones(const uint8_t value[BYTES])
{
    int count = 0;
    for (int byte = 0; byte < BYTES; byte++) {
        count += __builtin_popcount(value[byte]);
    }
    return count;
}

/* Stronger first; of equal ones the lower level, then row by row. */
static int by_response(const void *one, const void *other)
{
    const Corner *a = one, *b = other;
    if (a->response != b->response) {
        return a->response > b->response ? -1 : 1;
    }
    if (a->place[2] != b->place[2]) {
        return a->place[2] - b->place[2];
    }
    return a->y != b->y ? a->y - b->y : a->x - b->x;
}

/* The first of each cell, then the second of each, and so on. */
static int by_rank(const void *one, const void *other)
{
    const Corner *a = one, *b = other;
    return a->rank != b->rank ? (a->rank < b->rank ? -1 : 1) : by_response(one, other);
}

static int by_value(const void *one, const void *other)
{
    return memcmp(((const Corner *)one)->value, ((const Corner *)other)->value, BYTES);
}

static int cell_of(int x, int y, const int sides[2], int grid)
{
    return y * grid / sides[1] * grid + x * grid / sides[0];
}

/* Which corners of a level are asked for. */
typedef struct {
    int quota;
    int grid;
    int drawn; /* whether those of drawn patches are among them */
} Wanted;

/* At most `quota` corners of a level, its cells in turn, each described; put at `out`. Returns how many. */
static int corners_of(const Level *level, int number, const int frame[2], Wanted wanted, Room *room, Corner *out)
{
    const int width = level->width, height = level->height, sides[2] = {width, height};
    int32_t ranks[UPLOAD_GRID * UPLOAD_GRID] = {0};
    int count = 0, described = 0;

    for (int y = MARGIN; y < height - MARGIN; y++) {
        const int32_t *row = level->response + (ptrdiff_t)y * width;
        for (int x = MARGIN; x < width - MARGIN; x++) {
            if (row[x] >= WEAKEST && row[x] >= row[x - 1] && row[x] >= row[x + 1] && stands_out(row + x, width) &&
                (wanted.drawn || !is_drawn(level, x, y))) {
                Corner *corner = &room->found[count++];
                corner->response = row[x];
                corner->x = (int16_t)x;
                corner->y = (int16_t)y;
                corner->place[2] = (int16_t)number;
            }
        }
    }
    qsort(room->found, (size_t)count, sizeof *room->found, by_response);
    for (int i = 0; i < count; i++) {
        room->found[i].rank = ranks[cell_of(room->found[i].x, room->found[i].y, sides, wanted.grid)]++;
    }
    qsort(room->found, (size_t)count, sizeof *room->found, by_rank);
    for (int i = 0; i < count && i < wanted.quota; i++) {
        Corner *corner = &room->found[i];
        const int angle = angle_of(level, corner->x, corner->y);
        corner->place[0] = (int16_t)((2 * corner->x + 1) * frame[0] / (2 * width));
        corner->place[1] = (int16_t)((2 * corner->y + 1) * frame[1] / (2 * height));
        corner->place[3] = (int16_t)angle;
        compare(level, corner->x, corner->y, turned[angle], corner->value);
        compare(level, corner->x, corner->y, mirrored[angle], corner->mirrored);
        const int set = ones(corner->value), other = ones(corner->mirrored);
        if (set >= LEAST_ONES && set <= BITS - LEAST_ONES && other >= LEAST_ONES && other <= BITS - LEAST_ONES) {
            out[described++] = *corner;
        }
    }
    return described;
}

/* The person's choice among the kept: the strongest, but cell by cell, and none near another or equal to it. The chosen
 * are moved to `room->found`. */
static int choose(int count, const int frame[2], Room *room)
{
    int taken[GRID * GRID] = {0};
    int chosen = 0;

    qsort(room->kept, (size_t)count, sizeof *room->kept, by_response);
    for (int round = 1; round <= CHOSEN && chosen < CHOSEN; round++) {
        int left = 0;
        for (int i = 0; i < count && chosen < CHOSEN; i++) {
            const Corner *corner = &room->kept[i];
            if (corner->rank < 0) {
                continue;
            }
            left++;
            int *cell = &taken[cell_of(corner->place[0], corner->place[1], frame, GRID)];
            if (*cell >= round) {
                continue;
            }
            int usable = 1;
            for (int k = 0; k < chosen && usable; k++) {
                const Corner *other = &room->found[k];
                const int x = corner->place[0] - other->place[0], y = corner->place[1] - other->place[1];
                usable = x * x + y * y >= SPREAD * SPREAD && memcmp(corner->value, other->value, BYTES) != 0;
            }
            if (usable) {
                room->found[chosen++] = *corner;
                ++*cell;
            }
            room->kept[i].rank = -1;
        }
        if (left == 0) {
            break;
        }
    }
    qsort(room->found, (size_t)chosen, sizeof *room->found, by_value);
    return chosen;
}

/* The nearest whole number to over / under, halves up. */
static int64_t nearest(int64_t over, int64_t under)
{
    return (2 * over + under) / (2 * under);
}

static int64_t power(int64_t base, int exponent)
{
    return exponent == 0 ? 1 : base * power(base, exponent - 1);
}

/* The corners of one level of the frame, put at `out`. Returns how many. */
static int describe_level(const Plane *plane, const int frame[2], int number, Wanted wanted, Room *room, Corner *out)
{
    const int64_t up = power(5, number), down = power(6, number);
    const Level level = {(int)nearest(frame[0] * up, down), (int)nearest(frame[1] * up, down), room->pixels, room->smooth,
                         room->response};

    if (level.width <= 2 * MARGIN || level.height <= 2 * MARGIN) {
        return 0;
    }
    resize(plane, &level, room);
    smooth(&level, room);
    respond(&level, room);
    return corners_of(&level, number, frame, wanted, room, out);
}

static int describe_person(const Plane *plane, const int frame[2], Room *room)
{
    int count = 0;

    for (int number = FIRST; number <= LAST; number++) {
        count += describe_level(plane, frame, number, (Wanted){POOL, GRID, 0}, room, room->kept + count);
    }
    return choose(count, frame, room);
}

/* Of `most`, each level has 5/6 as many as the one before. */
static int describe_all(const Plane *plane, const int frame[2], int most, Room *room)
{
    int64_t all = 0;
    int count = 0;

    for (int number = 0; number < LEVELS; number++) {
        all += power(5, number) * power(6, LEVELS - 1 - number);
    }
    for (int number = 0; number < LEVELS; number++) {
        const int quota = (int)nearest(most * power(5, number) * power(6, LEVELS - 1 - number), all);
        count += describe_level(plane, frame, number, (Wanted){quota, UPLOAD_GRID, 1}, room, room->kept + count);
    }
    return count;
}

static void free_room(Room *room)
{
    free(room->narrow);
    free(room->pixels);
    free(room->across);
    free(room->smooth);
    free(room->response);
    free(room->rows);
    free(room->first);
    free(room->count);
    free(room->weight);
    free(room->found);
    free(room->kept);
}

/* Room for a frame and as many corners as it can have. 0, or -1 without memory; `free_room` either way. */
static int make_room(Room *room, const Plane *plane, const int frame[2], int most)
{
    const size_t area = (size_t)frame[0] * (size_t)frame[1];
    const size_t cells = (size_t)(frame[0] / (APART + 1) + 1) * (size_t)(frame[1] / (APART + 1) + 1);

    memset(room, 0, sizeof *room);
    room->narrow = malloc((size_t)frame[1] * (size_t)plane->width);
    room->pixels = malloc(area);
    room->across = malloc(area * sizeof *room->across);
    room->smooth = malloc(area * sizeof *room->smooth);
    room->response = malloc(area * sizeof *room->response);
    room->rows = malloc(3 * (2 * WINDOW + 2) * FRAME * sizeof *room->rows);
    room->first = malloc(FRAME * sizeof *room->first);
    room->count = malloc(FRAME * sizeof *room->count);
    /* Each sample counts for the outputs that lie within its reach: about two of them, or the other way round. */
    room->weight = malloc(4 * (FRAME + MOST_SIDE) * sizeof *room->weight);
    room->found = malloc((cells > CHOSEN ? cells : CHOSEN) * sizeof *room->found);
    room->kept = malloc((size_t)(most + LEVELS) * sizeof *room->kept);
    return room->narrow && room->pixels && room->across && room->smooth && room->response && room->rows &&
                   room->first && room->count && room->weight && room->found && room->kept
               ? 0
               : -1;
}

/* `count` of the corners as bytes: their values, those mirrored (if asked for), their places. */
static PyObject *answer(const Corner *corners, int count, int with_mirrored, const int frame[2])
{
    PyObject *values = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)count * BYTES);
    PyObject *others = PyBytes_FromStringAndSize(NULL, with_mirrored ? (Py_ssize_t)count * BYTES : 0);
    PyObject *places = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)count * (Py_ssize_t)sizeof corners->place);

    if (values == NULL || others == NULL || places == NULL) {
        Py_XDECREF(values);
        Py_XDECREF(others);
        Py_XDECREF(places);
        return NULL;
    }
    for (int i = 0; i < count; i++) {
        memcpy(PyBytes_AS_STRING(values) + (ptrdiff_t)i * BYTES, corners[i].value, BYTES);
        memcpy(PyBytes_AS_STRING(places) + (ptrdiff_t)i * (ptrdiff_t)sizeof corners->place, corners[i].place,
               sizeof corners->place);
        if (with_mirrored) {
            memcpy(PyBytes_AS_STRING(others) + (ptrdiff_t)i * BYTES, corners[i].mirrored, BYTES);
        }
    }
    if (with_mirrored) {
        return Py_BuildValue("(NNNii)", values, others, places, frame[0], frame[1]);
    }
    Py_DECREF(others);
    return Py_BuildValue("(NN)", values, places);
}

static PyObject *described(PyObject *object, long long width, long long height, int most, int person)
{
    Py_buffer view;
    Room room;
    int count = 0, status;

    if (width < 1 || height < 1 || width > MOST_PICTURE || height > MOST_PICTURE) {
        PyErr_SetString(PyExc_ValueError, "a picture's sides are 1 to 1048576 pixels");
        return NULL;
    }
    if (most < 1 || most > MOST_UPLOAD) {
        PyErr_Format(PyExc_ValueError, "1 to %d descriptors can be asked for", MOST_UPLOAD);
        return NULL;
    }
    if (PyObject_GetBuffer(object, &view, PyBUF_C_CONTIGUOUS | PyBUF_FORMAT) < 0) {
        return NULL;
    }
    if (view.ndim != 2 || view.itemsize != 1 || view.format == NULL || strcmp(view.format, "B") != 0) {
        PyErr_SetString(PyExc_TypeError, "luma must be a two-dimensional buffer of uint8");
        PyBuffer_Release(&view);
        return NULL;
    }
    if (view.shape[0] < 1 || view.shape[1] < 1 || view.shape[0] > MOST_SIDE || view.shape[1] > MOST_SIDE ||
        view.len != view.shape[0] * view.shape[1]) {
        PyErr_Format(PyExc_ValueError, "luma must be 1 to %d pixels each way", MOST_SIDE);
        PyBuffer_Release(&view);
        return NULL;
    }
    const Plane plane = {view.buf, (int)view.shape[1], (int)view.shape[0]};
    const long long longer = width > height ? width : height;
    const int across = (int)nearest(width * FRAME, longer), down = (int)nearest(height * FRAME, longer);
    const int frame[2] = {across > 0 ? across : 1, down > 0 ? down : 1};

    Py_BEGIN_ALLOW_THREADS
    status = make_room(&room, &plane, frame, most);
    if (status == 0) {
        count = person ? describe_person(&plane, frame, &room) : describe_all(&plane, frame, most, &room);
    }
    Py_END_ALLOW_THREADS

    PyBuffer_Release(&view);
    PyObject *result = status == 0 ? answer(person ? room.found : room.kept, count, !person, frame) : PyErr_NoMemory();
    free_room(&room);
    return result;
}

PyDoc_STRVAR(describe_doc,
             "describe(luma, width, height, /)\n--\n\n"
             "A person's descriptors of a picture of width x height pixels, from its luma: a C-contiguous uint8 buffer of\n"
             "two dimensions, each at most 512.\n\n"
             "Returns (n x 32 bytes, ascending; n x 4 native int16: x, y, level, angle). n is 0 to 64. Raises BufferError,\n"
             "TypeError, ValueError, MemoryError.");

static PyObject *describe(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *luma;
    long long width, height;

    if (!PyArg_ParseTuple(args, "OLL", &luma, &width, &height)) {
        return NULL;
    }
    return described(luma, width, height, (LAST - FIRST + 1) * POOL, 1);
}

PyDoc_STRVAR(describe_upload_doc,
             "describe_upload(luma, width, height, most, /)\n--\n\n"
             "About as many descriptors as `most`, 1 to 4096, of all levels. Returns (m x 32 bytes, the same of the mirrored\n"
             "picture, m x 4 native int16, width and height of the frame). Raises as `describe` does.");

static PyObject *describe_upload(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *luma;
    long long width, height;
    int most;

    if (!PyArg_ParseTuple(args, "OLLi", &luma, &width, &height, &most)) {
        return NULL;
    }
    return described(luma, width, height, most, 0);
}

static PyMethodDef methods[] = {
    {"describe", describe, METH_VARARGS, describe_doc},
    {"describe_upload", describe_upload, METH_VARARGS, describe_upload_doc},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_descriptors", "The kernel of local descriptors.", 0, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__descriptors(void)
{
    fill_tables();
    return PyModule_Create(&definition);
}
