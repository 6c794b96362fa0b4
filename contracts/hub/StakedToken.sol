// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IStakedToken} from "../interfaces/IStakedToken.sol";
import {ITokenSpender} from "../interfaces/ITokenSpender.sol";
import {Escrow} from "./Escrow.sol";

/// @title StakedToken: what is deposited, as an ERC-20 token
abstract contract StakedToken is IStakedToken, IERC20Errors, Escrow {
    /// @inheritdoc IStakedToken
    function transfer(address to, uint256 amount) external returns (bool) {
        _transfer(_sender(), to, amount);
        return true;
    }

    /// @inheritdoc IStakedToken
    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        _decreaseAllowance(from, _sender(), amount);
        _transfer(from, to, amount);
        return true;
    }

    /// @inheritdoc IStakedToken
    function approve(address spender, uint256 amount) external returns (bool) {
        _approve(_sender(), spender, amount);
        return true;
    }

    /// @inheritdoc IStakedToken
    function approveAndCall(address spender, uint256 amount, bytes calldata data) external returns (bool) {
        address account = _sender();
        _approve(account, spender, amount);
        bool accepted = ITokenSpender(spender).receiveApproval(account, amount, address(this), data);
        require(accepted, ApprovalRefused(spender));
        return true;
    }

    /// @inheritdoc IStakedToken
    function increaseAllowance(address spender, uint256 added) external returns (bool) {
        address account = _sender();
        _approve(account, spender, _allowances[account][spender] + added);
        return true;
    }

    /// @inheritdoc IStakedToken
    function decreaseAllowance(address spender, uint256 removed) external returns (bool) {
        _decreaseAllowance(_sender(), spender, removed);
        return true;
    }

    function _approve(address account, address spender, uint256 amount) private {
        require(account != address(0), ERC20InvalidApprover(account));
        require(spender != address(0), ERC20InvalidSpender(spender));
        _allowances[account][spender] = amount;
        emit IERC20.Approval(account, spender, amount);
    }

    function _decreaseAllowance(address account, address spender, uint256 amount) private {
        uint256 allowed = _allowances[account][spender];
        require(amount <= allowed, ERC20InsufficientAllowance(spender, allowed, amount));
        _approve(account, spender, allowed - amount);
    }
}
