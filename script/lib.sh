# What the scripts share. Sourced by them with the repository as the working directory.
# shellcheck shell=bash

say() { printf '%s\n' "$*" >&2; }
die() { say "$@"; exit 1; }

venv=.venv
python=$venv/bin/python

# The first Python that is new enough: $PYTHON, or the usual names.
find_python() {
  local candidate
  for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  die "promptlib needs Python 3.11 or newer. Install it, or name it: PYTHON=/path/to/python3.13 $0"
}

# Install Debian packages where we may: root, with apt. Fails quietly where we may not.
apt_install() {
  [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null || return 1
  say "Installing $* …"
  DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --no-install-recommends "$@" >/dev/null 2>&1 && return
  apt-get -qq update >/dev/null 2>&1
  DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --no-install-recommends "$@" >/dev/null
}

make_venv() {
  "$python" -m pip --version >/dev/null 2>&1 && return
  local base version
  base=$(find_python)
  say "Making a virtual environment in $venv …"
  if ! "$base" -m venv --clear "$venv" >/dev/null 2>&1; then # Debian ships Python without ensurepip
    version=$("$base" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    { apt_install "python$version-venv" && "$base" -m venv --clear "$venv"; } ||
      { "$base" -m venv --clear --without-pip "$venv" && "$base" -m pip --python "$python" install -q pip; } 2>/dev/null ||
      die "$base cannot make a virtual environment with pip. On Debian and Ubuntu: apt-get install python$version-venv"
  fi
}

# Install a requirements file, only if it (or a file it includes) changed since the last time.
install_requirements() {
  local file=$1 stamp want
  stamp=$venv/.installed-$file
  want=$(cat requirements.txt "$file" | cksum)
  if "$python" -V >/dev/null 2>&1 && [[ -f $stamp && $(<"$stamp") == "$want" ]]; then return; fi
  make_venv
  say "Installing $file …"
  "$python" -m pip install -q --disable-pip-version-check --no-input -r "$file" || return 1
  echo "$want" >"$stamp"
}

# mysqlclient has no Linux wheel: it is built here, from a C compiler, Python's and MySQL's headers.
install_mysqlclient() {
  make_venv
  if ! "$python" -c 'import MySQLdb' 2>/dev/null; then
    local version
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    local -a packages=()
    command -v "${CC:-cc}" >/dev/null || packages+=(gcc libc6-dev)
    python_headers || packages+=("python$version-dev")
    mysql_headers || packages+=(default-libmysqlclient-dev pkg-config)
    if ((${#packages[@]})) && ! apt_install "${packages[@]}"; then
      command -v "${CC:-cc}" >/dev/null && python_headers && private_mysql_headers ||
        die "MySQL needs the package mysqlclient, which is built from source, and something for that is missing here." \
          $'\n'"On Debian and Ubuntu: apt-get install ${packages[*]}" \
          $'\n'"On Fedora: dnf install gcc pkgconf python3-devel mariadb-connector-c-devel; on macOS: brew install mysql-client pkgconf" \
          $'\n'"Without DATABASE_URL promptlib runs on SQLite and needs none of this."
    fi
  fi
  install_requirements requirements-mysql.txt ||
    die "mysqlclient could not be built; the lines above say why. Without DATABASE_URL promptlib runs on SQLite."
}

python_headers() {
  "$python" -c 'import sysconfig, pathlib, sys; sys.exit(not (pathlib.Path(sysconfig.get_paths()["include"]) / "Python.h").exists())'
}

mysql_headers() {
  [[ -n ${MYSQLCLIENT_CFLAGS:-} ]] || command -v mysql_config >/dev/null ||
    { command -v pkg-config >/dev/null && { pkg-config --exists mysqlclient || pkg-config --exists libmariadb; }; }
}

# Without root: the distribution's own client library and headers, unpacked under .cache and linked from there.
private_mysql_headers() {
  command -v apt-get >/dev/null && command -v dpkg >/dev/null || return 1
  local root=$PWD/.cache/mysqlclient apt library
  apt=$root/apt
  if [[ ! -d $root/usr ]]; then
    say "Unpacking the MySQL client library under .cache/mysqlclient …"
    mkdir -p "$apt"/{lists/partial,cache/archives/partial}
    (
      cd "$apt"
      apt-get -qq -o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt/cache" -o Debug::NoLocking=1 update
      apt-get -qq -o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt/cache" -o APT::Sandbox::User=root download libmariadb-dev libmariadb3
      for package in *.deb; do dpkg -x "$package" "$root"; done
    ) >&2 || return 1
    rm -rf "$apt"
  fi
  library=$(dirname "$(find "$root" -name 'libmariadb.so.3' | head -1)")
  export MYSQLCLIENT_CFLAGS="-I$root/usr/include/mariadb"
  export MYSQLCLIENT_LDFLAGS="-L$library -lmariadb -Wl,-rpath,$library"
  export PIP_NO_CACHE_DIR=1 # what is built here works in this folder alone
}
