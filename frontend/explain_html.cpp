// The page: per plan a drawing (or list), a table of kernels, and a panel for each kernel.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>

#include "codegen/cuda.h"
#include "frontend/explanation.h"
#include "ir/graph_kinds.h"

namespace kiln::inline v0::frontend {

namespace {

using ir::NodeId;
using ir::NodeKind;

constexpr std::size_t kMostDrawn =
    300;  // nodes; beyond, a drawing helps nobody and dot takes minutes

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out + "\"";
}

// The graph in dot: a box a kernel. A node computed in several kernels stands in each.
class Drawing {
 public:
  Drawing(const DevicePlan& plan, const std::string& id)
      : plan_(*plan.plan), id_(id), number_(plan_.clusters.size()) {
    for (std::size_t i = 0; i < plan.kernels.size(); ++i) number_[plan.kernels[i].cluster] = i + 1;
    for (std::size_t k = 0; k < plan_.clusters.size(); ++k) {
      for (const NodeId n : plan_.clusters[k].nodes) home_.try_emplace(n, k);
    }
  }

  std::string dot() {
    out_ =
        "digraph kiln {\n  rankdir=TB; ranksep=0.28; nodesep=0.2; bgcolor=transparent; "
        "compound=true;\n"
        "  node [shape=box, style=\"rounded,filled\", fillcolor=\"#ffffff\", color=\"#8a8f98\", "
        "fontname=\"Helvetica\", fontsize=11, margin=\"0.09,0.04\", height=0.28];\n"
        "  edge [color=\"#8a8f98\", arrowsize=0.6];\n";
    for (std::size_t k = 0; k < plan_.clusters.size(); ++k) box(k);
    for (std::size_t k = 0; k < plan_.clusters.size(); ++k) edges(k);
    for (const NodeId n : plan_.graph.outputs) {
      if (const auto at = home_.find(n); at != home_.end()) {
        line("{} [penwidth=2.2, color=\"#1f6f5c\"];", name(at->second, n));
      }
    }
    return out_ + "}\n";
  }

 private:
  template <class... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    out_ += "  ";
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
    out_ += '\n';
  }
  static std::string name(std::size_t kernel, NodeId n) { return fmt::format("k{}n{}", kernel, n); }

  std::string label(NodeId n) const {
    const ir::Graph& g = plan_.graph;
    const ir::Node& node = g.nodes[n];
    if (n < g.labels.size() && !g.labels[n].empty()) return g.labels[n];
    if (node.kind == NodeKind::buffer) return fmt::format("input {}", node.attr);
    if (node.operand_count == 0) return ir::infix(g, n, 28);
    if (node.kind == NodeKind::map) return std::string(ir::info(node.op).name);
    if (node.kind == NodeKind::reduce || node.kind == NodeKind::arg_reduce) {
      const std::string whole = ir::infix(g, n, 400);  // "sum(...)"
      return whole.substr(0, whole.find('('));
    }
    return std::string(ir::info(node.kind).name);
  }

  void box(std::size_t k) {
    const ir::ClusterReport& c = plan_.clusters[k];
    line(
        "subgraph cluster_{} {{ id=\"g-{}k{}\"; label={}; style=\"rounded,filled\"; "
        "fillcolor=\"#e8f1ee\"; "
        "color=\"#1f6f5c\"; fontname=\"Helvetica-Bold\"; fontsize=12;",
        k, id_, k, in_quotes(fmt::format("{}. {} ({})", number_[k], c.name, c.schedule)));
    for (const NodeId n : c.nodes) {
      line("  {} [label={}, tooltip={}];", name(k, n), in_quotes(label(n)),
           in_quotes(ir::infix(plan_.graph, n, 200)));
    }
    line("}}");
  }

  void edges(std::size_t k) {
    const std::vector<NodeId>& nodes = plan_.clusters[k].nodes;
    for (const NodeId n : nodes) {
      for (const NodeId operand : plan_.graph.operands(n)) {
        const ir::NodeKind kind = plan_.graph.nodes[operand].kind;
        if (std::ranges::binary_search(nodes, operand)) {
          line("{} -> {};", name(k, operand), name(k, n));
        } else if (const auto from = home_.find(operand); from != home_.end()) {
          line("{} -> {} [color=\"#b3541e\", penwidth=1.6, tooltip=\"stored between kernels\"];",
               name(from->second, operand), name(k, n));
        } else if (kind == NodeKind::buffer) {
          input(operand);
          line("i{} -> {};", operand, name(k, n));
        }
      }
    }
  }

  void input(NodeId n) {
    if (!drawn_.try_emplace(n, true).second) return;
    line("i{} [label={}, fillcolor=\"#dfe7f5\", shape=ellipse, style=filled];", n,
         in_quotes(label(n)));
  }

  const ir::Plan& plan_;
  std::string id_, out_;
  std::vector<std::size_t> number_;     // of clusters, as they run
  std::map<NodeId, std::size_t> home_;  // the first kernel that computes a node
  std::map<NodeId, bool> drawn_;        // inputs
};

// What dot makes of it; nothing if it is not installed.
std::optional<std::string> svg(const std::string& dot) {
  namespace fs = std::filesystem;
  std::error_code error;
  std::string folder = (fs::temp_directory_path(error) / "kiln-dot-XXXXXX").string();
  if (error || mkdtemp(folder.data()) == nullptr) return std::nullopt;
  const fs::path source = fs::path(folder) / "graph.dot";
  std::ofstream(source) << dot;
  std::string result;
  const std::string command = "dot -Tsvg '" + source.string() + "' 2>/dev/null";
  if (std::FILE* const pipe = popen(command.c_str(), "r")) {
    char buffer[4096];
    for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;)
      result.append(buffer, n);
    if (pclose(pipe) != 0) result.clear();
  }
  fs::remove_all(folder, error);
  const std::size_t start = result.find("<svg");
  if (start == std::string::npos) return std::nullopt;
  return result.substr(start);
}

constexpr const char* kHead = R"html(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Kiln: plan</title><style>
body{font:14px/1.45 system-ui,Helvetica,Arial,sans-serif;margin:0;color:#1d2126;background:#f6f7f8}
header{padding:18px 28px;background:#1f6f5c;color:#fff}header h1{font-size:19px;margin:0}
main{display:grid;grid-template-columns:minmax(0,1fr) minmax(420px,44%);gap:20px;padding:18px 28px;align-items:start}
h2{font-size:16px;margin:6px 0}h3{font-size:14px;margin:14px 0 4px}
.card{background:#fff;border:1px solid #d9dce0;border-radius:8px;padding:12px 16px;margin-bottom:16px}
.drawing{position:relative;overflow:hidden;padding:0}.drawing svg{display:block;width:100%;height:100%;cursor:grab;touch-action:none}
.drawing button{position:absolute;top:10px;right:10px;font:inherit;font-size:12px;color:#1f6f5c;background:#fff;
border:1px solid #d9dce0;border-radius:6px;padding:3px 9px;cursor:pointer}.drawing small{position:absolute;left:12px;top:12px;color:#5b626b;background:#fffc}
.facts{display:flex;flex-wrap:wrap;gap:6px 26px;margin:6px 0}.facts b{display:block;font-size:16px}
table{border-collapse:collapse;width:100%;font-size:13px}th{text-align:left;color:#5b626b;font-weight:500}
.n{text-align:right!important;white-space:nowrap}td,th{padding:3px 10px 3px 0;border-bottom:1px solid #eceef0;vertical-align:top}
tr.pick{cursor:pointer}tr.pick:hover{background:#eef5f2}g.cluster{cursor:pointer}
g.cluster.on>path,g.cluster.on>polygon{stroke-width:3}tr.on{background:#e0eee9}
aside{position:sticky;top:12px;max-height:96vh;overflow:auto}.panel{display:none}.panel.on{display:block}
pre{background:#f2f4f5;border-radius:6px;padding:10px;overflow:auto;max-height:46vh;font:12px/1.4 ui-monospace,Menlo,Consolas,monospace}
code{font:12.5px ui-monospace,Menlo,Consolas,monospace;overflow-wrap:anywhere}.why{color:#5b626b}
summary{cursor:pointer;margin:6px 0;color:#1f6f5c;font-weight:600}
@media(max-width:1000px){main{display:block}aside{position:static;max-height:none}}
</style></head><body>
)html";

constexpr const char* kScript = R"html(<script>
function show(id){
  document.querySelectorAll('.on').forEach(e=>e.classList.remove('on'));
  for(const e of [document.getElementById(id),document.getElementById('g-'+id),document.getElementById('r-'+id)])
    if(e)e.classList.add('on');
}
document.querySelectorAll('g.cluster').forEach(g=>g.addEventListener('click',()=>show(g.id.slice(2))));
// A drawing is seen through its viewBox: the wheel zooms, dragging moves.
function look(svg,x,y,w,h){Object.assign(svg.viewBox.baseVal,{x,y,width:w,height:h})}
function bring(id){
  const g=document.getElementById('g-'+id);if(!g)return;
  const svg=g.ownerSVGElement,m=svg.getScreenCTM().inverse().multiply(g.getScreenCTM()),b=g.getBBox();
  const a=new DOMPoint(b.x,b.y).matrixTransform(m),c=new DOMPoint(b.x+b.width,b.y+b.height).matrixTransform(m);
  const W=svg.clientWidth,H=svg.clientHeight,unit=Math.max(0.85,1.12*(c.x-a.x)/W,1.12*(c.y-a.y)/H);
  look(svg,(a.x+c.x-W*unit)/2,(a.y+c.y-H*unit)/2,W*unit,H*unit);
}
document.querySelectorAll('.drawing').forEach(c=>{
  const svg=c.querySelector('svg'),v=svg.viewBox.baseVal,all=[v.x,v.y,v.width,v.height];
  svg.removeAttribute('width');svg.removeAttribute('height');
  const least=Math.min(all[3]*1.25,c.clientWidth*all[3]/all[2]);
  c.style.height=Math.min(innerHeight*0.74,Math.max(160,least))+'px';
  const whole=()=>look(svg,...all);
  const button=c.appendChild(document.createElement('button'));button.textContent='whole graph';button.onclick=whole;
  c.appendChild(document.createElement('small')).textContent='wheel: zoom, drag: move, click: figures';
  const scale=Math.min(svg.clientWidth/all[2],svg.clientHeight/all[3]),first=c.querySelector('g.cluster');
  if(scale<0.6&&first)bring(first.id.slice(2));
  svg.addEventListener('wheel',e=>{
    e.preventDefault();
    const k=Math.exp(e.deltaY*0.0015),p=new DOMPoint(e.clientX,e.clientY).matrixTransform(svg.getScreenCTM().inverse());
    look(svg,p.x-(p.x-v.x)*k,p.y-(p.y-v.y)*k,v.width*k,v.height*k);
  },{passive:false});
  let from=null;
  svg.addEventListener('pointerdown',e=>{from={x:e.clientX,y:e.clientY,vx:v.x,vy:v.y}});
  addEventListener('pointermove',e=>{
    if(!from)return;
    const unit=1/svg.getScreenCTM().a;
    look(svg,from.vx-(e.clientX-from.x)*unit,from.vy-(e.clientY-from.y)*unit,v.width,v.height);
  });
  addEventListener('pointerup',()=>{from=null});
});
document.querySelectorAll('tr.pick').forEach(r=>r.addEventListener('click',()=>{
  const id=r.id.slice(2);show(id);bring(id);
  const g=document.getElementById('g-'+id);if(g)g.closest('.drawing').scrollIntoView({block:'nearest'});
}));
const first=document.querySelector('.panel');if(first)show(first.id);
</script></body></html>
)html";

class Page {
 public:
  std::string run(const std::vector<DevicePlan>& plans) {
    out_ = kHead;
    std::string title;
    for (const DevicePlan& p : plans) {
      if (p.elsewhere) continue;
      const std::size_t kernels = p.kernels.size();
      title +=
          fmt::format(": {} kernel{} on {}", kernels, kernels == 1 ? "" : "s", escaped(p.device));
    }
    put("<header><h1>Kiln{}</h1></header><main><div>", title);
    if (plans.empty()) put("<div class=card>Nothing to compute: every value is in memory.</div>");
    for (std::size_t i = 0; i < plans.size(); ++i) plan(plans[i], fmt::format("p{}", i));
    put("</div><aside>{}</aside></main>", panels_);
    return std::move(out_) + kScript;
  }

 private:
  template <class... Args>
  void put(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
  }
  void fact(const char* what, const std::string& value) {
    put("<span>{}<b>{}</b></span>", what, escaped(value));
  }

  void plan(const DevicePlan& p, const std::string& id) {
    std::int64_t moved = 0;
    double seconds = 0;
    for (const ExplainedKernel& k : p.kernels) {
      moved += k.compulsory_read + k.compulsory_written;
      seconds += k.seconds;
    }
    put("<div class=card><h2>{}{}</h2><div class=facts>", escaped(p.device),
        p.elsewhere ? ": the same program there" : "");
    fact("operations", std::to_string(p.nodes));
    fact("kernels", std::to_string(p.kernels.size()));
    fact("bytes moved", bytes_text(moved));
    fact("least possible", bytes_text(p.least_bytes));
    fact("estimated", time_text(seconds));
    fact("memory at the peak", bytes_text(p.memory.peak));
    if (!p.elsewhere) fact("plan", p.cached ? "cached" : "new");
    put("</div>");
    for (const std::string& change : p.changes)
      put("<div class=why>new class: {}</div>", escaped(change));
    if (!p.not_fused.empty()) put("<div class=why>not fused yet: {}</div>", escaped(p.not_fused));
    put("</div>");
    drawing(p, id);
    kernels(p, id);
    stored(p);
    memory(p);
    for (std::size_t k = 0; k < p.kernels.size(); ++k)
      panel(p, k, fmt::format("{}k{}", id, p.kernels[k].cluster));
  }

  void drawing(const DevicePlan& p, const std::string& id) {
    if (p.plan->graph.nodes.size() > kMostDrawn) return;
    if (const auto picture = svg(Drawing(p, id).dot()))
      put("<div class=\"card drawing\">{}</div>", *picture);
  }

  void kernels(const DevicePlan& p, const std::string& id) {
    put("<div class=card><h3>Kernels, in "
        "order</h3><table><tr><th></th><th>computes</th><th>over</th><th>schedule</th>"
        "<th class=n>moves</th><th class=n>time</th></tr>");
    for (std::size_t i = 0; i < p.kernels.size(); ++i) {
      const ExplainedKernel& k = p.kernels[i];
      put("<tr class=pick "
          "id=\"r-{}k{}\"><td>{}</td><td><b>{}</b><br><code>{}</code></td><td>{}</td><td>{}</td>"
          "<td class=n>{}</td><td class=n>{}</td></tr>",
          id, k.cluster, i + 1, escaped(k.name), escaped(k.expression), k.space,
          escaped(k.schedule), bytes_text(k.compulsory_read + k.compulsory_written),
          time_text(k.seconds));
    }
    put("</table></div>");
  }

  void stored(const DevicePlan& p) {
    if (p.boundaries.empty() && p.again.empty()) return;
    put("<div class=card><h3>Between kernels</h3><table><tr><th>stored</th><th>because</th><th "
        "class=n>costs</th></tr>");
    for (const ExplainedBoundary& b : p.boundaries) {
      put("<tr><td><code>{}</code><br><span class=why>for {}</span></td><td>{}{}</td><td "
          "class=n>{}</td></tr>",
          escaped(b.producer), escaped(b.consumer), escaped(b.reason),
          b.fused_seconds > 0 ? fmt::format("<br><span class=why>fused {}, stored {}</span>",
                                            time_text(b.fused_seconds), time_text(b.stored_seconds))
                              : "",
          bytes_text(b.bytes));
    }
    for (const ExplainedAgain& a : p.again) {
      put("<tr><td><code>{}</code><br><span class=why>{}</span></td><td>computed again; before at "
          "{}, not stored. "
          "<code>eval</code> both results together, or <code>materialize</code> "
          "it</td><td></td></tr>",
          escaped(a.expression), escaped(a.made), escaped(a.before));
    }
    put("</table></div>");
  }

  void memory(const DevicePlan& p) {
    put("<div class=card><h3>Memory</h3><table><tr><th>buffer</th><th>role</th><th "
        "class=n>size</th><th>in the memory of</th></tr>");
    for (const ExplainedBuffer& b : p.buffers) {
      put("<tr><td><code>{}</code></td><td>{}</td><td class=n>{}</td><td>{}</td></tr>",
          escaped(b.name), b.role, bytes_text(b.bytes), escaped(b.takes_over));
    }
    put("</table></div>");
  }

  void panel(const DevicePlan& p, std::size_t i, const std::string& id) {
    const ExplainedKernel& k = p.kernels[i];
    auto to = std::back_inserter(panels_);
    fmt::format_to(to,
                   "<section class=\"card panel\" id=\"{}\"><h2>{}. {}</h2><div class=why>{}</div>",
                   id, i + 1, escaped(k.name), escaped(p.device));
    fmt::format_to(to, "<p><code>{}</code></p><table>", escaped(k.expression));
    const auto row = [&](const char* what, const std::string& value) {
      fmt::format_to(to, "<tr><th>{}</th><td>{}</td></tr>", what, escaped(value));
    };
    row("over", k.space);
    row("schedule", k.schedule + ": " + k.reason);
    row("reads", fmt::format("{}, requests {}", bytes_text(k.compulsory_read),
                             bytes_text(k.requested_read)));
    row("writes", fmt::format("{}, requests {}", bytes_text(k.compulsory_written),
                              bytes_text(k.requested_written)));
    if (!k.entry.empty()) row("entry", k.entry);
    row("operations", std::to_string(k.operations));
    row("estimated", time_text(k.seconds));
    if (!k.cache.empty()) row("code", k.cache);
    if (k.resources) row("takes", resources_text(*k.resources));
    row("from", fmt::format("{}", fmt::join(k.lines, ", ")));
    fmt::format_to(to, "</table>");
    if (const std::int64_t launch = p.plan->clusters[k.cluster].launch; launch >= 0)
      texts(p.plan->kernels[p.plan->launches[static_cast<std::size_t>(launch)].kernel]);
    fmt::format_to(to, "</section>");
  }

  void texts(const ir::Kernel& kernel) {
    auto to = std::back_inserter(panels_);
    const bool cuda = kernel.target == ir::Target::cuda;
    if (cuda) {
      fmt::format_to(to, "<details open><summary>CUDA</summary><pre>{}</pre></details>",
                     escaped(codegen::cuda_source(kernel)));
    }
    fmt::format_to(to, "<details{}><summary>IR</summary><pre>{}</pre></details>",
                   cuda ? "" : " open", escaped(ir::print(kernel)));
  }

  std::string out_, panels_;
};

}  // namespace

std::string explanation_html(const std::vector<DevicePlan>& plans) {
  std::vector<DevicePlan> shown = plans;
  const auto is_cuda = [](const DevicePlan& p) {
    return !p.plan->kernels.empty() && p.plan->kernels[0].target == ir::Target::cuda;
  };
  // Of a program for the CPU alone, the CUDA it would be as well.
  if (!plans.empty() && std::ranges::none_of(plans, is_cuda))
    shown.push_back(explain_for(plans[0], "sm_80"));
  for (DevicePlan& p : shown) add_resources(&p);
  return Page().run(shown);
}

}  // namespace kiln::inline v0::frontend
