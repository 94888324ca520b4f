package bagextract

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func townBytes(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := WriteTown(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestTheTownIsTheSameEveryTime(t *testing.T) {
	first, second := sha256.Sum256(townBytes(t)), sha256.Sum256(townBytes(t))
	if first != second {
		t.Error("two writings differ")
	}
}

// unzip gives the XML files of an extract by name.
func unzip(t *testing.T, content []byte, depth int) map[string][]byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(f.Name, ".zip") {
			files[f.Name] = b
			continue
		}
		if depth == 0 {
			t.Fatalf("%s: deeper than an extract", f.Name)
		}
		for name, content := range unzip(t, b, depth-1) {
			files[name] = content
		}
	}
	return files
}

func TestTheTownHasEveryFileOfAnOfficialDelivery(t *testing.T) {
	files := unzip(t, townBytes(t), 3)
	for _, prefix := range []string{"", "IO", "IA", "NB"} {
		for _, code := range []string{"WPL", "OPR", "NUM", "VBO", "LIG", "STA", "PND"} {
			if name := "9901" + prefix + code + "01112026-000001.xml"; files[name] == nil {
				t.Errorf("%s is missing", name)
			}
		}
	}
	if files["Leveringsdocument-BAG-Extract.xml"] == nil || files["GEM-WPL-RELATIE-01112026-000001.xml"] == nil {
		t.Error("the delivery document or the relations are missing")
	}
	if got := len(files); got != 30 {
		t.Errorf("got %d files, want 30", got)
	}
}

// TestTheTownIsValidByTheOfficialSchema needs xmllint and the Kadaster's XSD set beside the repository.
func TestTheTownIsValidByTheOfficialSchema(t *testing.T) {
	xmllint, err := exec.LookPath("xmllint")
	if err != nil {
		t.Skip("xmllint is not installed")
	}
	set, err := filepath.Abs("../../../shared/data/address/nlextract/lvbag-extract-xsd-20200928.tar.gz")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(set); err != nil {
		t.Skipf("the schema set is not beside the repository: %v", err)
	}
	dir := t.TempDir()
	if out, err := exec.Command("tar", "xzf", set, "-C", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	root := filepath.Join(dir, "bagv2/doc/schema/lvbag-extract-20200928/lvbag")
	for name, content := range unzip(t, townBytes(t), 3) {
		schema := "extract-deelbestand-lvc/v20200601/BagvsExtractDeelbestandExtractLvc-2.1.0.xsd"
		switch {
		case strings.HasPrefix(name, "GEM-WPL"):
			schema = "gem-wpl-rel/gwr-deelbestand-lvc/v20200601/BagvsGwrDeelbestandLvc-2.1.0.xsd"
		case strings.HasPrefix(name, "Lever"):
			schema = "extract-levering/v20200601/BagvsExtractLeveringsdocument-2.1.0.xsd"
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(xmllint, "--nonet", "--noout", "--schema", filepath.Join(root, schema), path).CombinedOutput(); err != nil {
			if len(out) > 1500 {
				out = out[:1500]
			}
			t.Errorf("%s: %v: %s", name, err, out)
		}
	}
}
