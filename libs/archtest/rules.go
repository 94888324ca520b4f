package archtest

import (
	"slices"
	"strings"
)

// rule is one boundary. breaks gets the importing package ("services/cases/api") and the imported one ("./libs/errs"
// inside the module, else the full path).
type rule struct {
	reason string
	tests  bool // holds for test files too
	breaks func(pkg, imp string) bool
}

var rules = []rule{
	{
		reason: "libs hold mechanism: they know no part of the product", tests: true,
		breaks: func(pkg, imp string) bool { return in(pkg, "libs") && local(imp) && !inside(imp, "libs") },
	},
	{
		reason: "parts reach each other through api packages only; infra/up, infra/e2e and a part's own cmd start them",
		breaks: func(pkg, imp string) bool {
			target := partOf(strings.TrimPrefix(imp, "./"))
			if !local(imp) || target == "" || target == partOf(pkg) {
				return false
			}
			if strings.HasPrefix(imp, "./"+target+"/api") {
				return false
			}
			return !in(pkg, "infra/up") && !in(pkg, "infra/e2e") || imp != "./"+target
		},
	},
	{
		reason: "a main is thin: it calls its part's root package; flags, configuration and lifecycle are libs'",
		breaks: func(pkg, imp string) bool {
			part := partOf(pkg)
			if part == "" || !in(pkg, part+"/cmd") || !local(imp) {
				return false
			}
			return imp != "./"+part && !slices.Contains([]string{"./libs/app", "./libs/program", "./libs/telemetry", "./libs/workload"}, imp)
		},
	},
	{
		reason: "an api package is what others compile against: standard library and value types only",
		breaks: func(pkg, imp string) bool {
			part := partOf(pkg)
			if part == "" || !in(pkg, part+"/api") {
				return false
			}
			allowed := []string{"./libs/errs", "./libs/problem", "./libs/contract", "./libs/oin", "./libs/bsn"}
			return local(imp) && !slices.Contains(allowed, imp) && !strings.HasPrefix(imp, "./"+part+"/api") || thirdParty(imp)
		},
	},
	{
		reason: "domain packages hold rules: no HTTP, no SQL, no go-kit, no Redis, no Consul",
		breaks: func(pkg, imp string) bool {
			if !slices.Contains(domains, pkg) {
				return false
			}
			allowed := []string{"./libs/errs", "./libs/oin", "./libs/bsn"}
			return local(imp) && !slices.Contains(allowed, imp) && !slices.Contains(domains, strings.TrimPrefix(imp, "./")) ||
				thirdParty(imp) || imp == "net/http" || imp == "database/sql"
		},
	},
	{
		reason: "go-kit stays behind libs/kit and libs/discovery; only the gateway's chain is made of its endpoints", tests: true,
		breaks: func(pkg, imp string) bool {
			return strings.HasPrefix(imp, "github.com/go-kit/") && !in(pkg, "libs/kit") && !in(pkg, "libs/discovery") && !in(pkg, "gateway")
		},
	},
	{
		reason: "lb.Retry repeats any method and cancels streamed bodies: the gateway has its own", tests: true,
		breaks: func(_, imp string) bool {
			return imp == "github.com/go-kit/kit/sd/consul" || imp == "github.com/go-kit/kit/transport/httprp"
		},
	},
	{
		reason: "Consul stays behind libs/discovery/consul", tests: false,
		breaks: func(pkg, imp string) bool {
			return strings.HasPrefix(imp, "github.com/hashicorp/consul/") && !in(pkg, "libs/discovery/consul")
		},
	},
	{
		reason: "fosite is the grammar of the authorization server and nobody else's", tests: true,
		breaks: func(pkg, imp string) bool {
			return strings.HasPrefix(imp, "github.com/ory/fosite") && !in(pkg, "services/authserver")
		},
	},
}

// domains are the packages of rules.
var domains = []string{"services/address/internal/imbag", "services/address/internal/lookup", "services/cases/internal/exchange", "services/registry/internal/notify"}

// partOf gives the part a package belongs to: "gateway", "services/journal", or "".
func partOf(pkg string) string {
	if in(pkg, "gateway") {
		return "gateway"
	}
	if segments := strings.SplitN(pkg, "/", 3); segments[0] == "services" && len(segments) > 1 {
		return segments[0] + "/" + segments[1]
	}
	return ""
}

func in(pkg, dir string) bool     { return pkg == dir || strings.HasPrefix(pkg, dir+"/") }
func local(imp string) bool       { return strings.HasPrefix(imp, "./") }
func inside(imp, dir string) bool { return in(strings.TrimPrefix(imp, "./"), dir) }
func thirdParty(imp string) bool {
	return !local(imp) && strings.Contains(strings.SplitN(imp, "/", 2)[0], ".")
}
