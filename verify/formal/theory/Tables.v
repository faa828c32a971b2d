(** Scores from tables (Theorem 3 of docs/compact-proofs.md). Neurons come in families; in a family the input
    weights of x are replaced by one of a few levels, so that a table with a row for each level serves all x.
    Tables are added up along a plan: two tables of few rows make one for the pairs of rows that occur. *)

From Coq Require Import ZArith List Lia Bool Arith Uint63 Permutation.
From CosetVerify Require Import Definitions Sums Machine Rounding Packing Loss.
Import ListNotations.
Open Scope Z_scope.

(** [members]: numbers of neurons. [levels]: rows with an entry for each member. [cells]: for each x the number of
    the row that stands for it. [pairs]: which rows of two tables are added. *)
Inductive tree :=
| Family (members : list nat) (levels : list (list int)) (cells : list nat)
| Both (one other : tree) (pairs : list (nat * nat)) (cells : list nat).

Definition cells_of (t : tree) : list nat := match t with Family _ _ c => c | Both _ _ _ c => c end.
Definition cell (t : tree) (x : nat) : nat := nth x (cells_of t) 0%nat.

Fixpoint members_of (t : tree) : list nat :=
  match t with
  | Family members _ _ => members
  | Both one other _ _ => members_of one ++ members_of other
  end.

(** What stands for the input weights of x, member by member. *)
Fixpoint levels_at (t : tree) (x : nat) : list int :=
  match t with
  | Family _ levels cells => nth (nth x cells 0%nat) levels []
  | Both one other _ _ => levels_at one x ++ levels_at other x
  end.

Fixpoint tree_ok (n : nat) (t : tree) : bool :=
  match t with
  | Family members levels cells =>
      forallb (fun g => length g =? length members)%nat levels &&
      forallb (fun x => nth x cells 0 <? length levels)%nat (seq 0 n)
  | Both one other pairs cells =>
      tree_ok n one && tree_ok n other &&
      forallb (fun x => let c := nth x cells 0%nat in let p := nth c pairs (0%nat, 0%nat) in
        (c <? length pairs)%nat && (fst p =? cell one x)%nat && (snd p =? cell other x)%nat) (seq 0 n)
  end.

(** A tree with the packed votes of the members in place of cells, so that these are looked up once for all y. *)
Inductive prepared :=
| PFamily (members : list nat) (levels : list (list int)) (votes : list (list int))
| PBoth (one other : prepared) (pairs : list (nat * nat)).

Fixpoint prepare (W : list (list int)) (t : tree) : prepared :=
  match t with
  | Family members levels _ => PFamily members levels (map (pick 0%uint63 members) W)
  | Both one other pairs _ => PBoth (prepare W one) (prepare W other) pairs
  end.

(** The table for the input weights r of y: a row of words for each cell. *)
Fixpoint table (s : int) (t : prepared) (r : list int) : list (list int) :=
  match t with
  | PFamily members levels votes =>
      let chosen := pick 0%uint63 members r in
      map (fun g => let h := coarse63 s g chosen in map (dot63 0 h) votes) levels
  | PBoth one other pairs =>
      let A := table s one r in
      let B := table s other r in
      map (fun p => add63 (nth (fst p) A []) (nth (snd p) B [])) pairs
  end.

Lemma levels_length n t x : tree_ok n t = true -> (x < n)%nat -> length (levels_at t x) = length (members_of t).
Proof.
  intros H Hx. induction t as [members levels cells|one IH1 other IH2 pairs cells]; cbn [tree_ok levels_at members_of] in *.
  - apply andb_true_iff in H as [H1 H2]. rewrite forallb_forall in H1, H2. apply Nat.eqb_eq. apply H1. apply nth_In.
    apply Nat.ltb_lt. apply H2. apply in_seq. lia.
  - rewrite !andb_true_iff in H. destruct H as [[H1 H2] _]. rewrite !app_length. now rewrite IH1, IH2.
Qed.

Lemma coarse63_app s a : forall b r q, length a = length r -> coarse63 s (a ++ b) (r ++ q) = coarse63 s a r ++ coarse63 s b q.
Proof.
  induction a as [|v a IH]; intros b [|w r] q E; try discriminate; [reflexivity|]. cbn. f_equal. apply IH. now injection E.
Qed.

Lemma coarse63_length s a : forall r, length a = length r -> length (coarse63 s a r) = length a.
Proof. induction a as [|v a IH]; intros [|w r] E; try discriminate; [reflexivity|]. cbn. f_equal. apply IH. now injection E. Qed.

(** The part of word j that a table's row of x holds. *)
Definition share (s : int) (W : list (list int)) (t : tree) (r : list int) (x j : nat) : Z :=
  dot (map signed (coarse63 s (levels_at t x) (pick 0%uint63 (members_of t) r)))
      (map signed (pick 0%uint63 (members_of t) (nth j W []))).

Lemma table_spec n s W t r x : tree_ok n t = true -> (x < n)%nat ->
  length (nth (cell t x) (table s (prepare W t) r) []) = length W /\
  forall j, (j < length W)%nat -> congruent (φ (nth j (nth (cell t x) (table s (prepare W t) r) []) 0)%uint63) (share s W t r x j).
Proof.
  intros H Hx. revert H. induction t as [members levels cells|one IH1 other IH2 pairs cells]; intros H; cbn [tree_ok] in H.
  - apply andb_true_iff in H as [H1 H2]. rewrite forallb_forall in H2. specialize (H2 x ltac:(apply in_seq; lia)).
    apply Nat.ltb_lt in H2. change (cell (Family members levels cells) x) with (nth x cells 0%nat). cbn [prepare table].
    rewrite (nth_map _ levels [] []) by assumption. cbn zeta. rewrite !map_length. split; [reflexivity|]. intros j Hj.
    rewrite (nth_map _ _ _ []) by (now rewrite map_length). rewrite (nth_map _ W [] []) by assumption.
    unfold share. cbn [levels_at members_of]. apply congruent_mod. rewrite dot63_spec. reflexivity.
  - rewrite !andb_true_iff in H. destruct H as [[T1 T2] H]. destruct (IH1 T1) as [L1 S1]. destruct (IH2 T2) as [L2 S2].
    rewrite forallb_forall in H. specialize (H x ltac:(apply in_seq; lia)). cbn zeta in H. rewrite !andb_true_iff in H.
    destruct H as [[H1 H2] H3]. apply Nat.ltb_lt in H1. apply Nat.eqb_eq in H2, H3.
    change (cell (Both one other pairs cells) x) with (nth x cells 0%nat). cbn [prepare table]. cbn zeta.
    rewrite (nth_map _ pairs [] (0%nat, 0%nat)) by assumption. rewrite H2, H3.
    split; [rewrite add63_length; congruence|]. intros j Hj.
    eapply congruent_trans; [apply add63_nth; [congruence|lia]|].
    eapply congruent_trans; [apply congruent_add; [apply S1 | apply S2]; assumption|].
    unfold share. cbn [levels_at members_of]. unfold pick. rewrite !map_app. fold (pick 0%uint63 (members_of one) r).
    fold (pick 0%uint63 (members_of other) r).
    rewrite coarse63_app by (rewrite pick_length; now apply (levels_length n)). rewrite map_app, dot_app; [apply congruent_refl|].
    rewrite !map_length, coarse63_length; rewrite ?pick_length; now apply (levels_length n).
Qed.

(** * A forest: the tables that are left are added for each pair of inputs *)

Definition forest_members (F : list tree) : list nat := flat_map members_of F.
Definition forest_levels (F : list tree) (x : nat) : list int := flat_map (fun t => levels_at t x) F.
Definition forest_cells (F : list tree) (x : nat) : list nat := map (fun t => cell t x) F.

Fixpoint rows (cells : list nat) (T : list (list (list int))) : list (list int) :=
  match cells, T with
  | c :: cells', t :: T' => nth c t [] :: rows cells' T'
  | _, _ => []
  end.

Lemma forest_levels_length n F x : forallb (tree_ok n) F = true -> (x < n)%nat ->
  length (forest_levels F x) = length (forest_members F).
Proof.
  intros H Hx. induction F as [|t F IH]; [reflexivity|]. cbn [forallb] in H. apply andb_true_iff in H as [H1 H2].
  unfold forest_levels, forest_members in *. cbn [flat_map]. rewrite !app_length, IH by assumption.
  f_equal. now apply (levels_length n).
Qed.

Lemma rows_spec n s W F r x : forallb (tree_ok n) F = true -> (x < n)%nat ->
  let T := rows (forest_cells F x) (map (fun t => table s (prepare W t) r) F) in
  Forall (fun a => length a = length W) T /\
  forall j, (j < length W)%nat -> congruent (sum (map (fun a => φ (nth j a 0)%uint63) T))
    (dot (map signed (coarse63 s (forest_levels F x) (pick 0%uint63 (forest_members F) r)))
         (map signed (pick 0%uint63 (forest_members F) (nth j W [])))).
Proof.
  intros H Hx. induction F as [|t F IH]; cbn zeta in *.
  - split; [constructor|]. intros j Hj. apply congruent_refl.
  - cbn [forallb] in H. apply andb_true_iff in H as [H1 H2]. destruct (IH H2) as [I1 I2].
    destruct (table_spec n s W t r x H1 Hx) as [L S].
    unfold forest_cells in *. cbn [map rows]. split; [constructor; assumption|]. intros j Hj.
    unfold sum in *. cbn [map fold_right]. eapply congruent_trans; [apply congruent_add; [apply (S j Hj) | apply (I2 j Hj)]|].
    unfold share, forest_levels, forest_members. cbn [flat_map]. unfold pick. rewrite !map_app.
    fold (pick 0%uint63 (members_of t) r). fold (pick 0%uint63 (flat_map members_of F) r).
    rewrite coarse63_app by (rewrite pick_length; now apply (levels_length n)). rewrite map_app, dot_app; [apply congruent_refl|].
    rewrite !map_length, coarse63_length; rewrite ?pick_length; now apply (levels_length n).
Qed.

(** * The order of neurons does not matter *)

Definition each_once (m : nat) (members : list nat) : bool :=
  (length members =? m)%nat && forallb (fun i => existsb (Nat.eqb i) members) (seq 0 m).

Lemma each_once_spec m members : each_once m members = true -> Permutation (seq 0 m) members.
Proof.
  intros H. apply andb_true_iff in H as [H1 H2]. apply Nat.eqb_eq in H1.
  apply NoDup_Permutation_bis; [apply seq_NoDup | rewrite seq_length; lia |].
  intros i Hi. rewrite forallb_forall in H2. specialize (H2 i Hi). apply existsb_exists in H2 as [k [Hk E]].
  apply Nat.eqb_eq in E. now subst.
Qed.

Lemma sum_permutation s t : Permutation s t -> sum s = sum t.
Proof. unfold sum. induction 1; cbn [fold_right]; lia. Qed.

Lemma dot_pick h u members : dot (pick 0 members h) (pick 0 members u) = sum (map (fun i => nth i h 0 * nth i u 0) members).
Proof. unfold sum. induction members as [|i members IH]; [reflexivity|]. cbn [pick map dot fold_right]. unfold pick in IH. now rewrite IH. Qed.

Lemma pick_all {S} (d : S) s : pick d (seq 0 (length s)) s = s.
Proof.
  induction s as [|a s IH]; [reflexivity|]. cbn [length seq pick map nth]. f_equal.
  rewrite <- seq_shift, map_map. exact IH.
Qed.

Lemma dot_each_once m members h u : each_once m members = true -> length h = m -> length u = m ->
  dot (pick 0 members h) (pick 0 members u) = dot h u.
Proof.
  intros H Eh Eu. apply each_once_spec in H. rewrite dot_pick.
  rewrite <- (sum_permutation _ _ (Permutation_map _ H)), <- dot_pick.
  rewrite <- Eh at 1. rewrite <- Eu. now rewrite !pick_all.
Qed.

Lemma hidden_pick members l : forall r, length r = length l ->
  hidden (pick 0 members l) (pick 0 members r) = pick 0 members (hidden l r).
Proof.
  intros r E. unfold pick. induction members as [|i members IH]; [reflexivity|]. cbn [map hidden]. f_equal; [|exact IH].
  clear IH. revert r i E. induction l as [|a l IH]; intros [|c r] i E; try discriminate.
  - cbn. destruct i; reflexivity.
  - destruct i as [|i]; [reflexivity|]. cbn. apply IH. now injection E.
Qed.
