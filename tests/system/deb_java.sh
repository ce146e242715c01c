# SPDX-License-Identifier: MIT
# full
# timeout: 300
# Java: compiler, threads, collectors, null pointers and full stacks found by signals.
. tests/lib.sh
. tests/deb.sh

compare_set java openjdk-17-jdk-headless "$(cat <<'END'
cat >H.java <<'E'
import java.util.*; import java.util.concurrent.*; import java.nio.file.*;
public class H { public static void main(String[] a) throws Exception {
 ExecutorService e = Executors.newFixedThreadPool(4); List<Future<Integer>> l = new ArrayList<>(); for (int i = 0; i < 8; i++) { int k = i; l.add(e.submit(() -> k * k)); } int s = 0; for (var f : l) s += f.get(); System.out.println(s); e.shutdown();
 long t = 0; for (int i = 0; i < 20000000; i++) t += i ^ (t >> 3); System.out.println(t);
 try { Object o = null; o.toString(); } catch (NullPointerException x) { System.out.println("npe"); }
 try { f(0); } catch (StackOverflowError x) { System.out.println("soe"); }
 Files.writeString(Path.of("f"), "abc"); System.out.println(Files.size(Path.of("f")));
 Process p = new ProcessBuilder("echo", "sub").start(); System.out.println(new String(p.getInputStream().readAllBytes()).trim() + p.waitFor());
 System.gc(); byte[][] g = new byte[100][]; for (int i = 0; i < 100; i++) g[i] = new byte[1 << 18]; System.out.println(g.length); } static int f(int n) { return f(n + 1) + 1; } }
E
javac H.java && java -Xmx256m H; echo $?; java -Xmx128m -XX:+UseParallelGC H | tail -n 1; jar cf h.jar H.class && jar tf h.jar
END
)" --mem 3G --smp 2
