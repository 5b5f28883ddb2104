"""Adds distances as CONTRIBUTING.md says and holds the package with them to its promises.

Works in a copy: each of three files gets what somebody who adds a distance writes there, a struct,
a line in the list, a line in the reference. Nothing else is edited. Then the filters' bounds, and
`knn`, `radius_neighbors`, `Index` and `cdist` (added_distances_check.py) are held against the
float64 brute force, and the tests that go through the list run for the first of them. What is
stated wrongly must not compile.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STRUCTS, LIST, REFERENCE = (
    "csrc/metrics/distances-inl.h",
    "csrc/metrics/metrics.h",
    "tests/reference.py",
)

ADDED = {
    # Everything that Manhattan has.
    "HalfManhattan": (
        """
// ½Σ|u−v|
struct HalfManhattan : Manhattan {
  static LK_INLINE double finish(double sum, double) { return 0.5 * sum; }
  static LK_INLINE double norm_of(double distance) { return 2 * distance; }
};
""",
        "lambda u, v: total(abs(u - v)) / 2",
    ),
    # Nothing stated: float64 alone.
    "SquaredRoots": (
        """
// Σ(√u−√v)²
struct SquaredRoots : Distance {
  using Term = SquaredRoots;
  static constexpr Domain domain = Domain::not_negative;
  template <class V>
  static LK_INLINE V term(V u, V v) {
    const V difference = square_root(u) - square_root(v);
    return difference * difference;
  }
};
""",
        "lambda u, v: total((np.sqrt(u) - np.sqrt(v)) ** 2)",
    ),
    # The same by preparing the rows: Euclidean's filters serve it.
    "SquaredRootsOfRows": (
        """
// Σ(√u−√v)², of rows of roots
struct SquaredRootsOfRows : Euclidean {
  static constexpr Domain domain = Domain::not_negative;
  static constexpr Prepare prepare = Prepare::elementwise;
  static constexpr Rescale rescale = Rescale::never;
  static constexpr int power = 2;
  static LK_INLINE double prepared(double x) { return __builtin_sqrt(x); }
  static LK_INLINE double finish(double sum, double) { return sum; }
  static LK_INLINE double norm_of(double distance) { return __builtin_sqrt(distance); }
};
""",
        "lambda u, v: total((np.sqrt(u) - np.sqrt(v)) ** 2)",
    ),
    # No norm at all, and a term that float32 could not be trusted with near equal rows.
    "PlainChiSquare": (
        """
// Σ(u−v)²/(u+v), 0/0 = 0
struct PlainChiSquare : Distance {
  using Term = PlainChiSquare;
  static constexpr Domain domain = Domain::not_negative;
  template <class V>
  static LK_INLINE V term(V u, V v) {
    const V difference = u - v;
    return difference * difference / one_if_zero(u + v);
  }
};
""",
        "lambda u, v: total(quotient((u - v) ** 2, u + v))",
    ),
    # A weight that nothing is stated of.
    "SquaresOverSums": (
        """
// Σ(u−v)² / Σ|u+v|, 0/0 = 0
struct SquaresOverSums : Distance {
  struct Squares : Distance {
    template <class V>
    static LK_INLINE V term(V u, V v) {
      const V difference = u - v;
      return difference * difference;
    }
  };
  using Term = Squares;
  using Weight = SumOfMagnitudes;
  static LK_INLINE double finish(double sum, double weight) { return sum > 0 ? sum / weight : 0; }
};
""",
        "lambda u, v: quotient(total((u - v) ** 2), total(abs(u + v)))",
    ),
    # A float32 filter of terms that underflow.
    "Thirds": (
        """
// max|u−v|/3
struct Thirds : Distance {
  using Term = Thirds;
  static constexpr Combine combine = Combine::maximum;
  static constexpr int norm_degree = 1;
  static constexpr bool triangle = true;
  static constexpr int roundings = 2;
  template <class V>
  static LK_INLINE V term(V u, V v) {
    return abs(u - v) / V::all(3);
  }
};
""",
        "lambda u, v: (abs(u - v) / 3).max(axis=-1)",
    ),
    # Terms with state, of a parameter.
    "Multiple": (
        """
// c Σ|u−v|
struct Multiple : Distance {
  using Term = Multiple;
  static constexpr const char* parameters[kMostParameters] = {"c"};
  static constexpr int norm_degree = 1;
  static constexpr bool triangle = true;
  static constexpr int roundings = 3;
  explicit LK_INLINE Multiple(const Parameters& parameters) : c(parameters.value[0]) {}
  template <class V>
  LK_INLINE V term(V u, V v) const {
    return abs(u - v) * V::all(c);
  }
  double c;
};
""",
        "lambda u, v, c=2.5: total(abs(u - v) * c)",
    ),
}

# A statement that does not hold, and what the compiler has to say of it.
WRONG = {
    "codes: the terms are not those": (
        "PlainChiSquare",
        "static constexpr CodeForm codes = CodeForm::differences;",
    ),
    "inner_product: the norm must be": ("Manhattan", "static constexpr bool inner_product = true;"),
    "unit rows: state the distance": (
        "Manhattan",
        "static constexpr Prepare prepare = Prepare::unit;",
    ),
    "codes: the norm has to satisfy": ("Manhattan", "static constexpr bool triangle = false;"),
    "weights_add: the weight must be": (
        "Manhattan",
        "using Weight = Manhattan; static constexpr bool weights_add = true;",
    ),
    "degenerate: not what its feature": ("Cosine", "static constexpr double degenerate = 2;"),
}


def insert(file: Path, before: str, text: str) -> None:
    """Put text before the last place where `before` stands in a file."""
    content = file.read_text()
    at = content.rindex(before)
    file.write_text(content[:at] + text + content[at:])


def add(copy: Path, struct: str, name: str, reference: str) -> None:
    """Do what CONTRIBUTING.md says."""
    file = copy / STRUCTS
    file.write_text(file.read_text() + struct)
    insert(copy / LIST, "\n\nnamespace lookalike", f'  \\\n  METRIC({name}, "{name.lower()}")')
    insert(copy / REFERENCE, "}\nMETRICS = ", f'    "{name.lower()}": {reference},\n')


def build(copy: Path) -> None:
    configure = ["cmake", "-S", copy, "-B", copy / "build", "-G", "Ninja"]
    pybind11 = subprocess.check_output([sys.executable, "-m", "pybind11", "--cmakedir"], text=True)
    settings = {
        "CMAKE_BUILD_TYPE": "Release",
        "LOOKALIKE_WERROR": "ON",
        "SKBUILD_PROJECT_VERSION": "0",
        "Python_EXECUTABLE": sys.executable,
        "pybind11_DIR": pybind11.strip(),
    }
    definitions = [f"-D{name}={value}" for name, value in settings.items()]
    subprocess.run([*configure, *definitions], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", copy / "build"], check=True, stdout=subprocess.DEVNULL)
    for extension in (copy / "build").glob("_core*.so"):
        shutil.copy(extension, copy / "python/lookalike")
    bounds = ["-std=c++17", "-O1", "-ffp-contract=off", "-pthread", f"-I{copy}/csrc"]
    sources = [copy / "tests/native/bounds.cpp", copy / "build/libcore.a"]
    subprocess.run(["c++", *bounds, *sources, "-o", copy / "build/bounds"], check=True)


def refuse(copy: Path) -> None:
    """See that wrong statements do not compile."""
    sources = {file: (copy / file).read_text() for file in (STRUCTS, LIST, REFERENCE)}
    command = ["c++", "-std=c++17", "-fsyntax-only", f"-I{copy}/csrc"]
    for message, (base, statement) in WRONG.items():
        struct = f"\nstruct Wrong : {base} {{ {statement} }};\n"
        add(copy, struct, "Wrong", "None")
        result = subprocess.run(
            [*command, copy / "csrc/kernels/kernels_baseline.cpp"], capture_output=True, text=True
        )
        for file, content in sources.items():
            (copy / file).write_text(content)
        if result.returncode == 0 or message not in result.stderr:
            sys.exit(f"this should not compile, for '{message}':\n{struct}\n{result.stderr}")


def main() -> None:
    """Add, build, check."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for part in ("cmake", "csrc", "src", "python", "tests"):
            ignore = shutil.ignore_patterns("__pycache__", "*.so")
            shutil.copytree(ROOT / part, copy / part, ignore=ignore)
        for file in ("CMakeLists.txt", "pyproject.toml"):
            shutil.copy(ROOT / file, copy)
        for name, (struct, reference) in ADDED.items():
            add(copy, struct, name, reference)
        refuse(copy)
        build(copy)
        environment = os.environ | {"PYTHONPATH": str(copy / "python")}
        python, tests = sys.executable, copy / "tests"
        for level in ("avx512", "avx2", "baseline"):
            at_level = environment | {"LOOKALIKE_SIMD": level}
            run = [python, tests / "native/added_distances_check.py"]
            subprocess.run(run, check=True, env=at_level)
            run = [python, tests / "native/bounds.py", copy / "build/bounds", "20"]
            subprocess.run(run, check=True, env=at_level, stdout=subprocess.DEVNULL)
        chosen = ["-k", "halfmanhattan", tests / "test_added_metrics.py"]
        run = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *chosen]
        subprocess.run(run, check=True, env=environment, cwd=copy)


if __name__ == "__main__":
    main()
