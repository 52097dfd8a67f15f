// Package words says refusals in Chinese. The parties and the public read Chinese; the mesh's own vocabulary is English with
// the Chinese article. What is refused keeps its English message, and has these words beside it.
package words

import (
	_ "embed"
	"fmt"
	"regexp"
	"strings"
	"sync"

	commonv1 "quietline/proto/quietline/common/v1"
)

// Locale is that of the words.
const Locale = "zh-CN"

//go:embed words.tsv
var file string

// table has the Chinese of a message by its English format, and of a reason by "reason:" and its name.
var table = sync.OnceValue(func() map[string]string {
	rows := map[string]string{}
	for line := range strings.Lines(file) {
		english, chinese, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		rows[english] = chinese
	}
	return rows
})

var (
	// said is Chinese within an English message: an article, or what the message says once more.
	said = regexp.MustCompile(`[\p{Han}《〔][^A-Za-z()]*`)
	// article is the place in a law.
	article = regexp.MustCompile(`第[一二三四五六七八九十百零〇]+条`)
)

// Of says a refusal in Chinese: by the table, else by the Chinese that stands in the message itself, else by its reason, with
// the article that the message cites.
func Of(reason commonv1.ErrorReason, format string, args ...any) string {
	if len(args) == 1 && format == "%s" { // the message was made elsewhere
		if text, ok := args[0].(string); ok {
			format, args = text, nil
		}
	}
	if chinese, ok := table()[format]; ok {
		if len(args) == 0 {
			return chinese
		}
		return fmt.Sprintf(chinese, args...)
	}
	text := format
	if len(args) > 0 {
		text = fmt.Sprintf(format, args...)
	}
	general := table()["reason:"+strings.TrimPrefix(reason.String(), "ERROR_REASON_")]
	var parts []string
	for _, part := range said.FindAllString(text, -1) {
		if part = strings.TrimRight(part, " .,;:0123456789"); part != "" {
			parts = append(parts, part)
		}
	}
	chinese := strings.Join(parts, "；")
	switch {
	case chinese == "":
		return general
	case article.MatchString(chinese):
		return general + "（依据：" + chinese + "）"
	}
	return chinese
}

// OfField says that a field is refused.
func OfField(path, format string, args ...any) string {
	text := Of(commonv1.ErrorReason_ERROR_REASON_INVALID_FIELD, format, args...)
	if path == "" {
		return text
	}
	return path + "：" + text
}
